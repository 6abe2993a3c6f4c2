// SPDX-License-Identifier: Apache-2.0
#include "src/data/recipe_tables.hpp"

namespace sobolev::detail {
namespace {
constexpr double endless = 1e9;
constexpr int most_points_1d = 1 << 20, most_points_2d = 8192;

void add_layout(OptionTable& table, DataLayout& layout) {
  table.word<DataLayout>("layout", layout, {{"fno", DataLayout::fno}, {"pdebench", DataLayout::pdebench}},
                         "names of the arrays");
}
OptionTable darcy_table(const char* name, DarcyOptions& o) {
  using Coefficient = DarcyOptions::Coefficient;
  OptionTable t(name);
  t.whole("grid", o.grid, 3, most_points_2d, "points along each axis");
  t.word<GridPoints>("points", o.points, {{"cells", GridPoints::cells}, {"nodes", GridPoints::nodes}},
                     "centres of cells, or nodes with the boundary");
  t.word<FaceMean>("face_mean", o.face_mean,
                   {{"arithmetic", FaceMean::arithmetic}, {"harmonic", FaceMean::harmonic}},
                   "coefficient between two points");
  t.word<Coefficient>("coefficient", o.coefficient,
                      {{"threshold", Coefficient::threshold}, {"lognormal", Coefficient::lognormal}},
                      "two values by the field's sign, or its exponential");
  t.number("high", o.high, 0, 1e12, "coefficient where the field is not negative", true);
  t.number("low", o.low, 0, 1e12, "coefficient where it is negative", true);
  t.number("alpha", o.alpha, 1, 20, "decay of the field's spectrum", true);
  t.number("tau", o.tau, 0, 1e4, "inverse length of the field", true);
  t.number("source", o.source, -endless, endless, "right-hand side");
  t.number("tolerance", o.tolerance, 1e-14, 0.1, "relative residual of the linear solver");
  add_layout(t, o.layout);
  return t;
}

}  // namespace

OptionTable table_of(DarcyOptions& o) { return darcy_table("darcy", o); }
OptionTable table_of(DarcyRoughOptions& o) { return darcy_table("darcy_rough", o); }

OptionTable table_of(BurgersOptions& o) {
  OptionTable t("burgers");
  t.whole("grid", o.grid, 2, most_points_1d, "points that are written");
  t.number("nu", o.nu, 1e-5, 1e3, "viscosity");
  t.number("end", o.end, 0, endless, "time of u", true);
  t.numbers("times", o.times, 0, endless, "times of u instead of the end");
  t.whole("steps", o.steps, 0, 100000, "or so many intervals between times from 0 to the end; 0: none");
  t.number("sigma", o.sigma, 0, 1e9, "of the initial data's covariance sigma² (−Δ + tau²)^−alpha", true);
  t.number("tau", o.tau, 0, 1e4, "inverse length of the initial data", true);
  t.number("alpha", o.alpha, 0.5, 20, "decay of their spectrum", true);
  t.truth("mean", o.mean, "initial data with their constant mode");
  t.whole("modes", o.modes, 1, most_points_1d / 2, "of the initial data");
  t.whole("resolution", o.resolution, 0, most_points_1d,
          "points of the computation; 0: as many as the shocks need");
  t.number("tolerance", o.tolerance, 1e-12, 1e-2, "relative L2 change of u by steps half as long");
  add_layout(t, o.layout);
  return t;
}

OptionTable table_of(NavierStokesOptions& o) {
  using Amplitude = NavierStokesOptions::Amplitude;
  OptionTable t("navier_stokes");
  t.whole("grid", o.grid, 2, most_points_2d, "points along each axis that are written");
  t.whole("resolution", o.resolution, 8, most_points_2d, "points along each axis of the computation");
  t.number("nu", o.nu, 0, 1e3, "viscosity");
  t.number("end", o.end, 0, endless, "last time", true);
  t.number("interval", o.interval, 0, endless, "between recorded times", true);
  t.number("forcing", o.forcing, -1e6, 1e6, "amplitude of the forcing");
  t.word<Amplitude>("amplitude", o.amplitude, {{"paper", Amplitude::paper}, {"script", Amplitude::script}},
                    "variance of the initial vorticity: 7^(3/2) or 7³ times (−Δ + tau²)^−alpha");
  t.number("tau", o.tau, 0, 1e4, "inverse length of the initial vorticity");
  t.number("alpha", o.alpha, 1, 20, "decay of its spectrum", true);
  t.number("cfl", o.cfl, 0, 1, "cells of the computation that a step may move something by", true);
  return t;
}

OptionTable table_of(AdvectionOptions& o) {
  OptionTable t("advection");
  t.whole("grid", o.grid, 2, most_points_1d, "cells");
  t.number("beta", o.beta, -1e6, 1e6, "velocity");
  t.number("end", o.end, 0, endless, "last time", true);
  t.whole("steps", o.steps, 1, 100000, "intervals between recorded times");
  return t;
}

OptionTable table_of(DiffusionSorptionOptions& o) {
  OptionTable t("diffusion_sorption");
  t.whole("grid", o.grid, 4, most_points_1d, "cells");
  t.number("diffusion", o.diffusion, 0, 1e3, "effective diffusion coefficient D", true);
  t.number("end", o.end, 0, endless, "last time", true);
  t.whole("steps", o.steps, 1, 100000, "intervals between recorded times");
  t.number("tolerance", o.tolerance, 1e-12, 1e-2, "error of a time step");
  return t;
}

OptionTable table_of(ReactionDiffusionOptions& o) {
  OptionTable t("reaction_diffusion");
  t.whole("grid", o.grid, 4, most_points_2d, "cells along each axis");
  t.number("du", o.du, 0, 10, "diffusion of the activator u");
  t.number("dv", o.dv, 0, 10, "diffusion of the inhibitor v");
  t.number("k", o.k, -10, 10, "constant of the reaction");
  t.number("end", o.end, 0, endless, "last time", true);
  t.whole("steps", o.steps, 1, 100000, "intervals between recorded times");
  return t;
}

OptionTable table_of(ShallowWaterOptions& o) {
  OptionTable t("shallow_water");
  t.whole("grid", o.grid, 4, most_points_2d, "cells along each axis");
  t.number("inside", o.inside, 1e-3, 1e3, "depth within the dam");
  t.number("outside", o.outside, 1e-3, 1e3, "depth around it");
  t.number("smallest_radius", o.smallest_radius, 0, 2.5, "of the dam");
  t.number("largest_radius", o.largest_radius, 0, 2.5, "of the dam");
  t.number("end", o.end, 0, endless, "last time", true);
  t.whole("steps", o.steps, 1, 100000, "intervals between recorded times");
  return t;
}

OptionTable table_of(AntiderivativeOptions& o) {
  OptionTable t("antiderivative");
  t.whole("grid", o.grid, 2, most_points_1d, "sensors of u");
  t.number("length", o.length, 1e-3, 10, "correlation length of u");
  t.truth("aligned", o.aligned, "s at the sensors, or at random places");
  t.whole("places", o.places, 1, most_points_1d, "of s in each sample where not aligned");
  return t;
}

}  // namespace sobolev::detail
