// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/relative_l2.hpp"

#include "sobolev/core/buffer_on.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class RelativeL2 : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(RelativeL2, test::BackEnds, test::BackEndNames);

template <class T>
double error_of(const T* y, const T* scale, const T* offset, const T* target, std::size_t points,
                std::size_t channels) {
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < points * channels; ++i) {
    const std::size_t c = i % channels;
    const double value =
        scale != nullptr ? double(scale[c]) * double(y[i]) + double(offset[c]) : double(y[i]);
    error += (value - double(target[i])) * (value - double(target[i]));
    norm += double(target[i]) * double(target[i]);
  }
  return std::sqrt(error) / (norm > 0 ? std::sqrt(norm) : 1);
}

TYPED_TEST(RelativeL2, IsTheMeanOfTheSamplesAndHasItsGradient) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  struct Size {
    std::size_t batch, points, channels;
  };
  const E& executor = test::executor_of<TypeParam>();
  for (const Size& s : {Size{1, 1, 1}, Size{3, 37, 2}, Size{2, 700, 1}}) {
    if (test::in_another_order() && s.points > 100) continue;
    for (const bool scaled : {false, true}) {
      const std::size_t size = s.points * s.channels;
      test::Guarded<TypeParam> y(s.batch * size, 1), target(s.batch * size, 2), scale(s.channels, 3),
          offset(s.channels, 4), y_bar(s.batch * size);
      if (s.batch > 2) std::fill_n(target.data() + size, size, T(0));  // a target of 0
      if (s.batch > 2)
        std::copy_n(y.data() + 2 * size, size, target.data() + 2 * size);  // no error, unless scaled
      auto errors = zeros<double>(executor, s.batch), loss = zeros<double>(executor, 1);
      const View<double, 1> error_view(errors.data(), s.batch), loss_view(loss.data(), 1);
      relative_l2<T>(executor, y.cview(s.batch, s.points, s.channels), scale.cview(scaled ? s.channels : 0),
                     offset.cview(scaled ? s.channels : 0), target.cview(s.batch, s.points, s.channels),
                     error_view, loss_view, y_bar.view(s.batch, s.points, s.channels));
      std::vector<double> got(s.batch);
      double mean = 0, total = 0;
      download<double, 1>(executor, View<const double, 1>(errors.data(), s.batch),
                          View<double, 1>(got.data(), s.batch));
      download<double, 1>(executor, View<const double, 1>(loss.data(), 1), View<double, 1>(&mean, 1));
      const T *factor = scaled ? scale.data() : nullptr, *shift = scaled ? offset.data() : nullptr;
      for (std::size_t b = 0; b < s.batch; ++b) {
        const T *at = y.data() + b * size, *wanted = target.data() + b * size;
        const double want = error_of(at, factor, shift, wanted, s.points, s.channels);
        ASSERT_NEAR(got[b], want, 20 * double(std::numeric_limits<T>::epsilon()) * (1 + want));
        total += want;
        if (want == 0) continue;
        // The gradient by central differences of the definition in float64.
        std::vector<double> moved(at, at + size), f(s.channels, 1), o(s.channels, 0),
            t(wanted, wanted + size);
        if (scaled) {
          f.assign(factor, factor + s.channels);
          o.assign(shift, shift + s.channels);
        }
        for (std::size_t i = 0; i < size; i += 1 + size / 11) {
          const double x = moved[i], h = 1e-6 * (1 + std::abs(x));
          moved[i] = x + h;
          const double up = error_of(moved.data(), f.data(), o.data(), t.data(), s.points, s.channels);
          moved[i] = x - h;
          const double down = error_of(moved.data(), f.data(), o.data(), t.data(), s.points, s.channels);
          moved[i] = x;
          const double slope = (up - down) / (2 * h) / double(s.batch);
          ASSERT_NEAR(double(y_bar.data()[b * size + i]), slope,
                      (std::is_same_v<T, float> ? 1e-5 : 1e-8) * (1 + std::abs(slope)));
        }
      }
      EXPECT_NEAR(mean, total / double(s.batch), 1e-5 * (1 + mean));
    }
  }
}

TEST(RelativeL2, OfWhatIsRightIsZeroWithoutAGradient) {
  test::Guarded<double> y(6, 1), y_bar(6), errors(1), loss(1);
  relative_l2<double>(Cpu(1), y.cview(1, 6, 1), y.cview(0), y.cview(0), y.cview(1, 6, 1), errors.view(1),
                      loss.view(1), y_bar.view(1, 6, 1));
  EXPECT_EQ(errors[0], 0);
  EXPECT_EQ(loss[0], 0);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(y_bar[i], 0);
  EXPECT_THROW(relative_l2<double>(Cpu(1), y.cview(1, 6, 1), y.cview(0), y.cview(0), y.cview(1, 3, 2),
                                   errors.view(1), loss.view(1), y_bar.view(0, 0, 0)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
