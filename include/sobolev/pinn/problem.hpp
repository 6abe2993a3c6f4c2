// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/core/products.hpp"
#include "sobolev/expression/expr.hpp"
#include "sobolev/expression/parse.hpp"
#include "sobolev/jet/activation.hpp"

namespace sobolev {

struct CoordinateRange {
  std::string name;
  double low = 0, high = 1;
  bool periodic = false;
};

/// residual = 0 in the interior.
struct Equation {
  std::string name;
  Expr residual;
  SourcePosition position;
};

/// left = right where the listed coordinates have the listed values.
struct Condition {
  std::string name;
  std::vector<std::pair<std::string, double>> where;  // coordinate, value; at least one
  Expr left, right;
  std::optional<double> weight;  // empty: automatic
  SourcePosition position;
};

enum class Precision { float32, float64 };

/// 0 in an integer field means: chosen by the library (docs/defaults.md).
struct NetworkOptions {
  int depth = 0;
  int width = 0;
  Activation activation = Activation::tanh;
  int periodic_modes = 0;
  bool normalize = true;  // map ordinary coordinates to [-1, 1]
  std::optional<bool>
      hard_initial;              // build explicit initial data f into the output; empty: where f is smooth
  double first_layer_scale = 1;  // multiplies the initial weights of the first layer
  std::map<std::string, Expr> output;   // unknown -> expression in coordinates and the unknowns' raw outputs
  std::vector<Expr> features;           // extra inputs: expressions in the coordinates
  std::map<std::string, int> symmetry;  // coordinate -> +1 even, -1 odd
};

enum class Sampling { automatic, grid, uniform, latin_hypercube, sobol };

/// A share of the points lies near a place: coordinate = centre + width·(uniform in [−1, 1]).
struct DenseRegion {
  std::string coordinate;
  double centre = 0, width = 0, fraction = 0;
};

struct PointOptions {
  Sampling sampling = Sampling::automatic;
  std::map<std::string, int> grid;  // points per coordinate, for Sampling::grid
  int count = 0;                    // interior points of a window otherwise
  int condition_count = 0;          // points of each condition
  int resample_every = 0;           // iterations; 0: never
  std::vector<DenseRegion> dense;
};

struct CausalOptions {
  int slices = 0;  // 0: no causal weights
  std::vector<double> epsilon = {1};
  double stop_above = 0.99;
};

struct StopOptions {  // whichever comes first; 0: no such limit
  double seconds = 0, loss = 0, relative_l2 = 0;
  long iterations = 0;
};

enum class Optimizer { adam, levenberg_marquardt };

struct PhaseOptions {
  Optimizer optimizer = Optimizer::levenberg_marquardt;
  long iterations = 0;          // per window; 0: until it stalls or the run stops
  double seconds = 0;           // per window; 0: no limit
  double learning_rate = 1e-3;  // adam
  double decay_factor = 0.9;
  long decay_every = 5000;
  bool geodesic = true;        // levenberg_marquardt
  double stall_factor = 0.98;  // stop when F > factor × F of stall_iterations ago
  int stall_iterations = 30;
};

struct TrainingOptions {
  Precision precision = Precision::float64;
  Products products = Products::ieee;  // of float32 on a CUDA device, by adam
  unsigned long seed = 0;
  PointOptions points;
  CausalOptions causal;
  int windows = 1;
  StopOptions stop;
  std::vector<PhaseOptions> phases;  // empty: the library's default
};

struct ReferenceOptions {
  std::map<std::string, int> grid;    // points per coordinate where the error is measured
  std::map<std::string, Expr> exact;  // unknown -> expression
  std::string solver;                 // "etdrk4" or ""
  std::filesystem::path file;         // .npz with one array per coordinate and per unknown
  bool given() const { return !exact.empty() || !solver.empty() || !file.empty(); }
};

/// A problem, from a file or assembled in C++.
struct Problem {
  std::string title;
  std::vector<std::string> unknowns;
  std::vector<CoordinateRange> coordinates;
  std::map<std::string, double> constants;
  std::vector<Equation> equations;
  std::vector<Condition> conditions;
  NetworkOptions network;
  TrainingOptions training;
  ReferenceOptions reference;
  std::string source;                               // the text it was read from, with overrides applied
  std::string name;                                 // file stem or zoo name
  std::map<std::string, SourcePosition> positions;  // of what was read, by key: "training.windows"

  /// Reads a problem file; `overrides` are "key.path=value" (value in TOML syntax; a bare word is a
  /// string). Throws ParseError with file, line and column, or FileError.
  static Problem from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides = {});
  static Problem from_string(std::string_view text, const std::string& file_name = "<text>",
                             const std::vector<std::string>& overrides = {});

  /// The names that expressions of this problem may use.
  ExpressionScope scope() const;
  /// Index of the time coordinate (named "t", not periodic), or −1.
  int time() const;
  /// Checks what no parser can: ArgumentError (or ParseError where a position is known).
  void validate() const;

  // Assembly in C++:  problem.equation("heat", d(u, t) - nu * d(u, x, x));
  Problem& add_coordinate(const std::string& name, double low, double high, bool periodic = false);
  Problem& add_equation(const std::string& name, Expr residual);
  Problem& add_condition(const std::string& name, std::vector<std::pair<std::string, double>> where,
                         Expr residual, std::optional<double> weight = {});
};

/// The zoo: names and paths of the problems that ship with the library, sorted by name. Looked for in
/// $SOBOLEV_PROBLEMS, the source tree, the installed share/sobolev/problems, and beside the program.
std::vector<std::pair<std::string, std::filesystem::path>> zoo();
/// The file of a problem given by path or zoo name; FileError lists near names.
std::filesystem::path find_problem(const std::string& path_or_name);

}  // namespace sobolev
