// SPDX-License-Identifier: Apache-2.0
// examples/05_checkpoint.py, which docs/checkpoints.md shows, against `sobolev evaluate`.
#include <cmath>
#include <cstdio>
#include <string>

#include "sobolev/io/npy.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

/// A Python that has NumPy; "" when there is none.
std::string python() {
  for (const char* name : {"python3", "/usr/bin/python3"})
    if (std::system((std::string(name) + " -c 'import numpy' > /dev/null 2>&1").c_str()) == 0) return name;
  return "";
}

struct Case {
  const char* name;
  const char* text;
  int coordinates;
};

const Case cases[] = {
    {"InitialDataBuiltIn",
     "unknowns = [\"u\"]\n[coordinates]\nt = [1, 3]\nx = [-1, 2]\n[constants]\nnu = 0.1\n"
     "[equations]\nheat = \"u_t - nu*u_xx\"\n"
     "[conditions]\nstart = { where = \"t = 1\", equation = \"u = exp(-x^2)*erfc(x)/(2 + cos(3*x))\" }\n"
     "left = { where = \"x = -1\", equation = \"u_x = 0\" }\n",
     2},
    {"SecondOrderInThreeWindows",
     "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = { range = [-1, 1], periodic = true }\n"
     "[equations]\nwave = \"u_tt = u_xx\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = cos(pi*x)\" }\n"
     "slope = { where = \"t = 0\", equation = \"u_t = cos(2*pi*x)/2\" }\n"
     "[network]\nsymmetry = { x = \"even\" }\nactivation = \"sin\"\n[training]\nwindows = 3\n",
     2},
    {"TwoUnknownsWithFeaturesAndSymmetries",
     "unknowns = [\"u\", \"v\"]\n[coordinates]\nt = [0, 1]\nx = [-1, 1]\ny = { range = [-2, 2], periodic = "
     "true }\n"
     "[equations]\nfirst = \"u_t = u_xx + v\"\nsecond = \"v_t = v_yy - u\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = x*sin(pi*y/2)\" }\n"
     "[network]\nsymmetry = { x = \"odd\", y = \"odd\" }\nfeatures = [\"tanh(x/0.3)\", \"t*erf(x)\"]\n"
     "normalize = false\nactivation = \"gelu\"\noutput = { v = \"x + t*(1 - x^2)*v\" }\n"
     "[training]\nwindows = 2\nprecision = \"float32\"\n",
     3},
    {"ThreeLayersInTwoWindows",
     "unknowns = [\"u\", \"v\"]\n[coordinates]\nt = [0, 1]\ny = [0, 1]\n[equations]\n"
     "heat = \"u_t = d((1 + 9*heaviside(y - 0.25)*heaviside(0.75 - y))*u_y, y) + v\"\nother = \"v_t = "
     "v_yy\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = min(y, 0.25)\" }\n"
     "[network]\nscale = { v = 3 }\n[training]\nwindows = 2\n",
     2},
    {"GatesAndBlends",
     "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [-1, 2]\n[equations]\nheat = \"u_t = u_xx\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = exp(-x^2)\" }\n"
     "[network]\nkind = \"pirate\"\ndepth = 1\n[training]\nwindows = 2\n",
     2},
    {"FactorisedWithFourierFeaturesAndTwoNetworks",
     "unknowns = [\"u\", \"v\"]\n[coordinates]\nt = [0, 1]\nx = { range = [-1, 1], periodic = true }\n"
     "y = [0, 2]\n[equations]\nfirst = \"u_t = u_xx + v\"\nsecond = \"v_t = v_yy - u\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = sin(pi*x)\" }\n"
     "[network]\nfourier = { frequencies = 3, scale = [1, 2] }\nweight_factorization = {}\n"
     "initialization = \"siren\"\nactivation = \"sin\"\nv = { kind = \"modified_mlp\", width = 5 "
     "}\nshared_layers = 1\n",
     3},
    {"GaussiansAndAnotherNetwork",
     "unknowns = [\"u\", \"v\"]\n[coordinates]\nt = [0, 1]\nx = { range = [-1, 1], periodic = true }\n"
     "[equations]\nfirst = \"u_t = u_xx + v\"\nsecond = \"v_t = v_xx - u\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = sin(pi*x)\" }\n"
     "[network]\nkind = \"gaussian\"\ngaussians = { count = 7 }\ndepth = 1\nwidth = 4\n"
     "v = { kind = \"mlp\", width = 5 }\n[training]\nwindows = 2\n",
     2},
    {"GaussiansOfFullCovariance",
     "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [-1, 1]\ny = [0, 1]\n"
     "[equations]\nheat = \"u_t = u_xx + 0.3*u_xy + u_yy\"\n"
     "[conditions]\nstart = { where = \"t = 0\", equation = \"u = x*y\" }\n"
     "[network]\nkind = \"gaussian\"\ngaussians = { count = 7, covariance = \"full\" }\nwidth = 4\n",
     3},
    {"SteadyWithATransformedOutput",
     "unknowns = [\"u\"]\n[coordinates]\nx = [0, 1]\ny = [0, 1]\n[constants]\nk = { initial = -2 }\n"
     "z = { initial = 0 }\n[equations]\npoisson = \"u_xx + u_yy = k + z\"\n"
     "[network]\noutput = { u = \"z + k*x*(1 - x)*y*(1 - y)*u + 2^-x\" }\nactivation = \"softplus\"\n",
     2},
};

class CheckpointRecipe : public ::testing::TestWithParam<Case> {};

TEST_P(CheckpointRecipe, AgreesWithEvaluate) {
  const std::string interpreter = python();
  if (interpreter.empty()) GTEST_SKIP() << "no python3 with numpy (Debian: python3-numpy)";
  const TemporaryFolder folder;
  write_text(folder / "problem.toml", GetParam().text);
  testing::CommandOptions here;
  here.folder = folder.path();
  const auto solved =
      run_command({"solve", "problem.toml", "--out", "run", "--quiet", "--threads", "1", "--set",
                   "training.phase=[{ optimizer = \"levenberg_marquardt\", iterations = 3 }]", "--set",
                   "training.points.sobol=60", "--set", "network.width=7"},
                  here);
  ASSERT_EQ(solved.exit_code, 0) << solved.err;

  constexpr std::size_t n = 41;
  const std::size_t d = std::size_t(GetParam().coordinates);
  Tensor points{{n, d}, {}};
  const bool shifted = std::string(GetParam().text).find("t = [1, 3]") != std::string::npos;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < d; ++k) {
      const double s = double((i * (2 * k + 1)) % n) / double(n - 1);  // 0 … 1, ends and seams included
      points.values.push_back(k == 0 && shifted ? 1 + 2 * s : s);
    }
  write_npy(folder / "points.npy", points);
  const std::string unknowns = std::string(GetParam().text).find("\"v\"") != std::string::npos ? "u,v" : "u";
  const auto evaluated = run_command({"evaluate", "run", "--points", "points.npy", "--outputs", unknowns,
                                      "--out", "command.npz", "--threads", "1"},
                                     here);
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const std::string recipe = "cd '" + folder.path().string() + "' && " + interpreter +
                             " '" SOBOLEV_SOURCE_DIR
                             "/examples/05_checkpoint.py' run/checkpoint.safetensors points.npy numpy.npz";
  ASSERT_EQ(std::system(recipe.c_str()), 0);

  const NamedTensors want = read_npz(folder / "command.npz"), got = read_npz(folder / "numpy.npz");
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t k = 0; k < want.size(); ++k) {
    EXPECT_EQ(got[k].first, want[k].first);
    ASSERT_EQ(got[k].second.values.size(), n);
    for (std::size_t i = 0; i < n; ++i)
      EXPECT_NEAR(got[k].second.values[i], want[k].second.values[i],
                  1e-12 * (1 + std::abs(want[k].second.values[i])))
          << want[k].first << " at point " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Problems, CheckpointRecipe, ::testing::ValuesIn(cases),
                         [](const auto& info) { return std::string(info.param.name); });
}  // namespace
}  // namespace sobolev
