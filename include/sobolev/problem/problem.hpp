// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
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
  friend bool operator==(const CoordinateRange&, const CoordinateRange&) = default;
};

/// residual = 0 in the interior.
struct Equation {
  std::string name;
  Expr residual;
  SourcePosition position;
  std::string text{};  // as written in the file; empty: assembled in C++
  /// The residual with derivatives of what jumps as they are (jumps.hpp), where there are any: `residual` is
  /// what it is beside the jumps.
  std::optional<Expr> kept = {};
  /// Where they stand does not count, here and in a condition.
  friend bool operator==(const Equation& a, const Equation& b) {
    return a.name == b.name && a.residual == b.residual && a.kept == b.kept;
  }
};

/// left = right where the listed coordinates have the listed values.
struct Condition {
  std::string name;
  std::vector<std::pair<std::string, double>> where;  // coordinate, value; at least one
  Expr left, right;
  std::optional<double> weight;  // empty: automatic
  SourcePosition position;
  std::string text{};  // as written in the file; empty: assembled in C++
  friend bool operator==(const Condition& a, const Condition& b) {
    return a.name == b.name && a.where == b.where && a.left == b.left && a.right == b.right &&
           a.weight == b.weight;
  }
};

enum class Precision { float32, float64 };
/// As problem files have them, in the order of Precision, and those of Activation.
inline constexpr std::array precisions{"float32", "float64"};
inline constexpr std::array activations{"tanh", "sin", "gelu", "swish", "softplus"};

enum class NetworkKind { mlp, modified_mlp, pirate, gaussian };
/// As problem files have them, in the order of NetworkKind.
inline constexpr std::array network_kinds{"mlp", "modified_mlp", "pirate", "gaussian"};

/// Initial weights of the layers: Glorot normal, or those of SIREN.
enum class Initialization { glorot, siren };
inline constexpr std::array initializations{"glorot", "siren"};

/// Weights of the outputs at the start: as initialization says, or those that minimise the loss with all
/// other parameters as they are (least_squares_start).
enum class OutputStart { random, least_squares };
inline constexpr std::array output_starts{"random", "least_squares"};

/// Random Fourier features: cos(b·ξ) and sin(b·ξ) beside the other inputs, b ~ N(0, scale²) for coordinates ξ
/// in [−1, 1]; a whole number times 2π x / period for a periodic one.
struct FourierOptions {
  int frequencies = 0;              // 0: none
  std::vector<double> scale = {1};  // of equal shares of the frequencies
  friend bool operator==(const FourierOptions&, const FourierOptions&) = default;
};

/// Where the centres of Gaussians begin: at quasi-random points, or on a lattice, what is left of their
/// number at such points.
enum class Placement { random, lattice };
inline constexpr std::array placements{"random", "lattice"};

/// Of Gaussians: a width for each input, or any covariance.
enum class Covariance { diagonal, full };
inline constexpr std::array covariances{"diagonal", "full"};

/// Of a network of Gaussians of the inputs, which its hidden layers or outputs read.
struct GaussianOptions {
  int count = 0;     // 0: chosen by the library
  double width = 0;  // σ of all of them at the start, of inputs in [−1, 1]; 0: chosen by the library
  Placement placement = Placement::random;
  int margin = 0;  // of a lattice: cells outside of each end of a range
  Covariance covariance = Covariance::diagonal;
  bool direct = false;  // the outputs read them, in problems with time too
  friend bool operator==(const GaussianOptions&, const GaussianOptions&) = default;
};

/// Random weight factorisation: each weight is W = diag(eˢ) V, s ~ N(mean, deviation²) at the start.
struct WeightFactorization {
  double mean = 0.5, deviation = 0.1;
  friend bool operator==(const WeightFactorization&, const WeightFactorization&) = default;
};

/// The network of one unknown by itself. What is left out is that of the others'.
struct OwnNetwork {
  std::optional<NetworkKind> kind = {};
  std::optional<int> depth = {}, width = {};
  std::optional<Activation> activation = {};
  friend bool operator==(const OwnNetwork&, const OwnNetwork&) = default;
};

/// 0 in an integer field means: chosen by the library (docs/defaults.md).
struct NetworkOptions {
  NetworkKind kind = NetworkKind::mlp;
  int depth = 0;  // of gaussian: hidden layers that read the Gaussians
  int width = 0;
  Activation activation = Activation::tanh;
  int periodic_modes = 0;
  bool normalize = true;  // map ordinary coordinates to [-1, 1]
  /// Explicit initial data f in the output, u = f + τ·N, τ from 0 to 1; empty: where f is smooth.
  std::optional<bool> hard_initial = {};
  double first_layer_scale = 1;  // multiplies the initial weights of layers that read the inputs
  Initialization initialization = Initialization::glorot;
  OutputStart output_start = OutputStart::random;
  double output_damping = 1e-2;  // of least squares at the start
  FourierOptions fourier = {};
  GaussianOptions gaussians = {};
  std::optional<WeightFactorization> weight_factorization = {};
  /// By unknown: u = offset + scale·N with a network output N of order one (docs/defaults.md). What is
  /// left out is found from the conditions and equations.
  std::map<std::string, double> scale, offset;
  std::map<std::string, Expr> output;   // unknown -> expression in coordinates and the unknowns' raw outputs
  std::vector<Expr> features;           // extra inputs: expressions in the coordinates
  std::map<std::string, int> symmetry;  // coordinate -> +1 even, -1 odd
  std::map<std::string, OwnNetwork> own;  // unknown -> its network; the others share one
  int shared_layers = 0;                  // with which all of them begin
  friend bool operator==(const NetworkOptions&, const NetworkOptions&) = default;
};

enum class Sampling { automatic, grid, uniform, latin_hypercube, sobol };

/// A share of the points lies near a place: coordinate = centre + width·(uniform in [−1, 1]).
struct DenseRegion {
  std::string coordinate;
  double centre = 0, width = 0, fraction = 0;
  friend bool operator==(const DenseRegion&, const DenseRegion&) = default;
};

struct PointOptions {
  Sampling sampling = Sampling::automatic;
  std::map<std::string, int> grid;  // points per coordinate, for Sampling::grid
  int count = 0;                    // interior points of a window otherwise
  int condition_count = 0;          // points of each condition
  int resample_every = 0;           // iterations; 0: never
  std::vector<DenseRegion> dense;
  /// Iterations of Levenberg–Marquardt or L-BFGS after which points gather where the residual between them is
  /// large beside that on them; 0: never; empty: chosen by the library.
  std::optional<int> adapt_every = {};
  friend bool operator==(const PointOptions&, const PointOptions&) = default;
};

struct CausalOptions {
  int slices = 0;  // 0: no causal weights
  std::vector<double> epsilon = {1};
  double stop_above = 0.99;
  friend bool operator==(const CausalOptions&, const CausalOptions&) = default;
};

struct StopOptions {  // whichever comes first; 0: no such limit
  double seconds = 0, loss = 0, relative_l2 = 0;
  long iterations = 0;
  friend bool operator==(const StopOptions&, const StopOptions&) = default;
};

enum class OptimizerKind { adam, levenberg_marquardt, lbfgs };
/// As problem files have them, in the order of OptimizerKind.
inline constexpr std::array optimizer_kinds{"adam", "levenberg_marquardt", "lbfgs"};
constexpr const char* to_string(OptimizerKind kind) { return optimizer_kinds[std::size_t(kind)]; }

struct PhaseOptions {
  OptimizerKind optimizer = OptimizerKind::levenberg_marquardt;
  long iterations = 0;          // per window; 0: until it stalls or the run stops
  double seconds = 0;           // per window; 0: no limit
  double learning_rate = 1e-3;  // adam
  double decay_factor = 0.9;
  long decay_every = 5000;
  long cosine = 0, one_cycle = 0;  // instead, iterations: AdamOptions
  double pct_start = 0.2, div = 2, final_div = 100;
  double weight_decay = 0;
  bool geodesic = true;        // levenberg_marquardt
  int memory = 20;             // lbfgs: pairs of steps and changes of the gradient
  double stall_factor = 0.98;  // stop when F > factor × F of stall_after() iterations ago
  int stall_iterations = 0;    // 0: 30 of Levenberg–Marquardt, 1000 of L-BFGS
  int stall_after() const {
    return stall_iterations > 0 ? stall_iterations : optimizer == OptimizerKind::lbfgs ? 1000 : 30;
  }
  std::optional<Precision> precision = {};  // empty: that of the training
  friend bool operator==(const PhaseOptions&, const PhaseOptions&) = default;
};

/// Of TrainingOptions::windows: lengths are chosen while training, as the residuals ask for
/// (docs/windows.md).
inline constexpr int automatic_windows = -1;

struct TrainingOptions {
  Precision precision = Precision::float64;
  Products products = Products::ieee;  // of float32 on a CUDA device, by adam
  unsigned long seed = 0;
  PointOptions points;
  CausalOptions causal;
  int windows =
      0;  // of time, one after another: their number, or automatic_windows; 0: chosen by the library
  /// Where they end; empty: they are equal. With automatic_windows those begun so far.
  std::vector<double> window_ends = {};
  StopOptions stop;
  std::vector<PhaseOptions> phases;  // empty: the library's default
  friend bool operator==(const TrainingOptions&, const TrainingOptions&) = default;
};

/// Derivatives in a Lagrangian form: of the solution along the characteristics by position, or, as published
/// (Mojgani, Balajewicz & Hassanzadeh 2023), by label, which is the same only where all labels move alike.
enum class LagrangianDerivatives { position, label };
inline constexpr std::array lagrangian_derivatives{"position", "label"};

/// How a solution is read at a place: at its label, found by Newton's method, or by linear interpolation
/// between labels 1/256 of their range apart (as published; one coordinate that moves).
enum class LabelSearch { newton, linear };
inline constexpr std::array label_searches{"newton", "linear"};

/// A Lagrangian form of an evolution problem: what is trained are the positions x(X, t) of labels X, where
/// x(X, t₀) = X and x_t = velocity, and the unknowns along them, u(X, t). docs/lagrangian.md.
struct LagrangianOptions {
  std::map<std::string, Expr> velocity;  // by space coordinate; empty: read off the equations
  std::map<std::string, std::pair<double, double>> labels;  // ranges; those left out: the coordinates'
  LagrangianDerivatives derivatives = LagrangianDerivatives::position;
  double floor = 1e-3;  // of det ∂x/∂X where derivatives divide by it
  LabelSearch search = LabelSearch::newton;
  friend bool operator==(const LagrangianOptions&, const LagrangianOptions&) = default;
};

struct ReferenceOptions {
  std::map<std::string, int> grid;    // points per coordinate where the error is measured
  std::map<std::string, Expr> exact;  // unknown -> expression
  std::string solver;                 // "etdrk4" or ""
  std::filesystem::path file;         // .npz with one array per coordinate and per unknown
  bool given() const { return !exact.empty() || !solver.empty() || !file.empty(); }
  friend bool operator==(const ReferenceOptions&, const ReferenceOptions&) = default;
};

/// A number that is found together with the solution (an inverse problem), from data that conditions give.
struct UnknownConstant {
  std::string name;
  double initial = 1;  // where the search begins; its size is the unit in which it is sought
  double unit() const { return initial == 0 ? 1.0 : initial < 0 ? -initial : initial; }
  friend bool operator==(const UnknownConstant&, const UnknownConstant&) = default;
};

/// A problem, from a file or assembled in C++.
struct Problem {
  std::string title;
  std::vector<std::string> unknowns;
  std::vector<CoordinateRange> coordinates;
  /// In which the solution evolves: windows, causal weights and initial data refer to it.
  std::string time_coordinate = "t";
  std::map<std::string, double> constants;
  std::vector<UnknownConstant> unknown_constants = {};
  std::vector<Equation> equations;
  std::vector<Condition> conditions;
  NetworkOptions network;
  /// One coordinate of space and the places where the domain is cut into pieces with unknowns of their own,
  /// joined by what the equations imply. Where what d(…) differentiates jumps it is cut too, without being
  /// named here. docs/problem-files.md, [interfaces].
  std::map<std::string, std::vector<double>> interfaces = {};
  std::optional<LagrangianOptions> lagrangian = {};  // empty: the unknowns are trained where they are asked
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
  /// Index of the time coordinate (the one named time_coordinate, not periodic), or −1.
  int time() const;
  /// Checks what no parser can: ArgumentError (or ParseError where a position is known).
  void validate() const;
  /// The problem as the text of a problem file: from_string(to_toml()) is the same problem. What has its
  /// default is left out, and so is what means nothing (options of another optimiser); comments are lost.
  /// Sampling::automatic with a number of points is sobol, reference.file becomes absolute. Throws
  /// ArgumentError where an expression is too large for a file (64 KiB of text, 200 levels) or not finite.
  std::string to_toml() const;

  // Assembly in C++:  problem.add_equation("heat", d(u, t) - nu * d(u, x, x));
  Problem& add_coordinate(const std::string& name, double low, double high, bool periodic = false);
  /// problem.add_unknown_constant("nu", 0.1), then unknown_constant("nu") in expressions.
  Problem& add_unknown_constant(const std::string& name, double initial = 1);
  Problem& add_equation(const std::string& name, Expr residual);
  Problem& add_condition(const std::string& name, std::vector<std::pair<std::string, double>> where,
                         Expr residual, std::optional<double> weight = {});

  /// What is solved is the same: source, name and positions do not count.
  friend bool operator==(const Problem&, const Problem&);
};

// Where the CMake package that this header belongs to keeps them: set by the package. A program that has
// the library inside cannot tell by itself.
#ifndef SOBOLEV_PACKAGE_PROBLEMS
#define SOBOLEV_PACKAGE_PROBLEMS ""
#endif

/// The zoo: names and paths of the problems that ship with the library, sorted by name. Looked for in
/// $SOBOLEV_PROBLEMS, in share/sobolev/problems of any folder above the program and above the shared
/// library, and in the package's folder.
std::vector<std::pair<std::string, std::filesystem::path>> zoo(
    const std::filesystem::path& package = SOBOLEV_PACKAGE_PROBLEMS);
/// The file of a problem given by path or zoo name; FileError lists near names.
std::filesystem::path find_problem(const std::string& path_or_name,
                                   const std::filesystem::path& package = SOBOLEV_PACKAGE_PROBLEMS);

}  // namespace sobolev
