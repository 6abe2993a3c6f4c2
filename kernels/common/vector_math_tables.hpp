// SPDX-License-Identifier: Apache-2.0
#pragma once
// Written by tools/minimax.py, which says what each table is: do not edit.

namespace sobolev::SOBOLEV_TARGET {

template <class T>
struct MathTables;

template <>
struct MathTables<float> {
  static constexpr float tanh_numerator[] = {// error 6.6e-10
                                             6.658702948e-2f};
  static constexpr float tanh_denominator[] = {// error 6.6e-10
                                               3.999201164e-1f};
  static constexpr float exp[] = {
      // error 3.1e-9
      4.999999341e-1f, 1.666652011e-1f, 4.166839421e-2f, 8.368780409e-3f, 1.381446695e-3f};
  static constexpr float sin_half[] = {// error 6.4e-9
                                       -1.666665925e-1f, 8.333057989e-3f, -1.98089591e-4f, 2.604282069e-6f};
  static constexpr float sin_quarter[] = {// error 3.9e-9
                                          -1.666665424e-1f, 8.33213708e-3f, -1.951202037e-4f};
  static constexpr float cos_quarter[] = {// error 1.2e-10
                                          4.166664503e-2f, -1.388728412e-3f, 2.442942906e-5f};
  static constexpr float log[] = {// error 8.1e-10
                                  6.666677676e-1f, 3.997748211e-1f, 2.987362679e-1f};
  static constexpr float erf[] = {// error 1.2e-9
                                  1.283791657e-1f, -3.761262582e-1f, 1.128358515e-1f, -2.685381192e-2f,
                                  5.188327665e-3f, -8.010193446e-4f, 7.853860784e-5f};
  static constexpr float erfc[] = {// error 1.8e-8
                                   1.276978398f,     -9.276401736e-2f, -1.660317659e-1f, 1.640560104e-1f,
                                   -5.420047349e-2f, -8.06193981e-3f,  8.617537042e-3f,  1.311038253e-3f,
                                   -1.213303395e-3f, -3.906811774e-4f};
  static constexpr float erfc_center = 2.0, erfc_end = 11;
  static constexpr float ln2[] = {6.93145752e-1f, 1.428606765e-6f};
  static constexpr float half_pi_fused[] = {1.570796251f, 7.549789416e-8f, 5.390302953e-15f};
  static constexpr float half_pi[] = {1.5703125f, 4.83751297e-4f, 7.54953362e-8f, 2.563344068e-12f};
};
template <>
struct MathTables<double> {
  static constexpr double tanh_numerator[] = {// error 5.5e-18
                                              1.11099359421082821e-1, 1.0574181773030126e-3};
  static constexpr double tanh_denominator[] = {// error 5.5e-18
                                                4.4443269275441037e-1, 1.58683157639807505e-2};
  static constexpr double exp[] = {// error 3.7e-18
                                   5.00000000000001072e-1, 1.66666666666664102e-1, 4.16666666665291892e-2,
                                   8.33333333349562717e-3, 1.38888889439225565e-3, 1.98412695047571521e-4,
                                   2.48014927628370838e-5, 2.75575873500230175e-6, 2.76303786148881834e-7,
                                   2.49999627521612272e-8};
  static constexpr double sin_half[] = {
      // error 3.0e-19
      -1.66666666666666655e-1, 8.33333333333318407e-3,  -1.9841269841205423e-4,   2.7557319210471739e-6,
      -2.50521068105866565e-8, 1.60589365185928775e-10, -7.64290708620363628e-13, 2.72027188269799317e-15};
  static constexpr double sin_quarter[] = {// error 3.9e-18
                                           -1.66666666666666285e-1, 8.33333333332154271e-3,
                                           -1.98412698291125764e-4, 2.75573134508307893e-6,
                                           -2.50507203212903648e-8, 1.5894599718266699e-10};
  static constexpr double cos_quarter[] = {// error 6.0e-20
                                           4.16666666666665883e-2, -1.38888888888722349e-3,
                                           2.48015872883266165e-5, -2.75573140243449674e-7,
                                           2.08756793621581365e-9, -1.13574039410850781e-11};
  static constexpr double log[] = {// error 1.2e-18
                                   6.66666666666673512e-1, 3.9999999999409202e-1,  2.85714287437653062e-1,
                                   2.22221984164141373e-1, 1.81835732307559984e-1, 1.53138042958464275e-1,
                                   1.47985900185832672e-1};
  static constexpr double erf[] = {// error 1.3e-19
                                   1.28379167095512574e-1,  -3.76126389031837476e-1, 1.12837916709548575e-1,
                                   -2.68661706450728943e-2, 5.22397762478086171e-3,  -8.5483269787419401e-4,
                                   1.20553310368903598e-4,  -1.49255935066713459e-5, 1.64609728135370501e-6,
                                   -1.63500251858951756e-7, 1.46578795973067138e-8,  -1.13656650286444969e-9,
                                   5.94526020061777459e-11};
  static constexpr double erfc[] = {
      // error 1.6e-18
      1.23751263083782758,     -1.40240598585546998e-1, 3.58541548546295778e-3,  8.22767384901483648e-2,
      -1.0880393014166135e-1,  9.23043211603081219e-2,  -5.86933985916717315e-2, 2.83622774193225282e-2,
      -9.74657953367526209e-3, 1.75562585755327466e-3,  2.93713495108399456e-4,  -2.90154158624678993e-4,
      5.16498425365539988e-5,  2.23847420720581596e-5,  -1.14462134693376286e-5, -9.75378985745167128e-7,
      1.75524032948202394e-6,  -5.32283200946243036e-8, -2.62298984238076921e-7, 1.7986933535174508e-8,
      4.02305429938534854e-8,  1.35130780290673972e-10, -4.82102959689096526e-9, -9.08674690406136977e-10};
  static constexpr double erfc_center = 3.75, erfc_end = 28;
  static constexpr double ln2[] = {6.9314718055989033e-1, 5.49792301870837116e-14};
  static constexpr double half_pi_fused[] = {1.57079632679489656, 6.1232339957367648e-17,
                                             1.08285667392191403e-32};
  static constexpr double half_pi[] = {1.57079632673412561, 6.07710050630396598e-11, 2.02226624871116646e-21,
                                       8.47842766036889957e-32};
};

}  // namespace sobolev::SOBOLEV_TARGET
