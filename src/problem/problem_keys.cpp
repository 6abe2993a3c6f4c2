// SPDX-License-Identifier: Apache-2.0
// The table of keys. What is done with it is in key_words.cpp.
#include "src/problem/problem_keys.hpp"

#include <array>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {
namespace {
using enum KeyType;

constexpr KeyRange from(double low, double high) { return {low, high}; }
constexpr std::array window_words{"auto"};
/// A number in the range, or one of the words.
constexpr AllowedValues or_word(KeyRange range, AllowedValues words) {
  words.range = range;
  return words;
}
constexpr KeyRange at_least(double low) { return {low}; }
constexpr KeyRange positive{0, std::numeric_limits<double>::infinity(), true};
constexpr KeyRange share{0, 1, true};
constexpr KeyRange points = from(1, 1e8);

constexpr AllowedValues of(OptimizerKind kind, AllowedValues allowed = {}) {
  allowed.optimizer = to_string(kind);
  return allowed;
}

constexpr std::array products{to_string(Products(0)), to_string(Products(1)), to_string(Products(2)),
                              to_string(Products(3))};
constexpr std::array parities{"odd", "even"};
constexpr std::array solvers{"etdrk4"};

constexpr AllowedValues one_of(AllowedValues allowed = {}) {
  allowed.alternative = true;
  return allowed;
}

constexpr ProblemKey table_of_keys[] = {
    {"title", text, "file name", R"("Heat equation")", "for reports"},
    {"unknowns", names, "required", R"(["u"])", "one network output each, a function of all coordinates"},
    {"coordinates", table, "required", "{ t = [0, 1], x = [-1, 1] }", "at most 8"},
    {"time", text, "t", R"("x")", "the coordinate in which the solution evolves"},
    {"constants", table, "none", "{ nu = 1e-4 }", "names for expressions; numbers that are to be found"},
    {"equations", table, "required", R"({ heat = "u_t = u_xx" })", "hold in the interior"},
    {"conditions", table, "none", R"_({ initial = { where = "t = 0", equation = "u = sin(pi*x)" } })_",
     "hold where they say"},
    {"network", table, "those of its keys", "{ width = 24 }", "what is trained"},
    {"interfaces", table, "where d(…) differentiates a jump", "{ x = 0.5 }",
     "cut the domain there into pieces with unknowns of their own"},
    {"lagrangian", table, "none", R"_({ velocity = { x = "1 + u" } })_",
     "train the problem along its characteristics: see [lagrangian.md](lagrangian.md)"},
    {"training", table, "those of its keys", "{ stop = { seconds = 60 } }", "how, and for how long"},
    {"reference", table, "none", R"_({ exact = { u = "exp(-t)*sin(pi*x)" } })_",
     "what the error is measured against"},

    {"coordinates.<coordinate>", interval, "required", "[-1, 1]",
     "the range alone, or a table with these keys"},
    {"coordinates.<coordinate>.range", interval, "required", "[-1, 1]",
     "the first number must be the smaller one"},
    {"coordinates.<coordinate>.periodic", boolean, "false", "true", "the two ends are one place"},

    {"constants.<constant>", number, "required", "1e-4",
     "its value, or a table with this key for a number that is to be found"},
    {"constants.<constant>.initial", number, "required", "1",
     "where the search begins; its size is the unit in which the number is sought"},

    {"equations.<equation>", equation, "required", R"("u_t = u_xx")", "without `=` the right side is 0"},

    {"conditions.<condition>", table, "none", R"_({ where = "t = 0", equation = "u = sin(pi*x)" })_",
     "a condition of that name"},
    {"conditions.<condition>.where", text, "required", R"("t = 0")",
     R"(`coordinate = value`, several separated by commas: `"t = 0, x = 1"`)"},
    {"conditions.<condition>.equation", equation, "required", R"_("u = sin(pi*x)")_",
     R"(any equation in the unknowns and their derivatives: `"u_x = 0"`, `"u_t = 0"`)"},
    {"conditions.<condition>.weight", number, "automatic", "10",
     "of the squared residual, beside 1 for equations", positive},

    {"network.kind", choice, R"("mlp")", R"("modified_mlp")",
     "multilayer perceptron, `depth` hidden layers; modified: each between two encoders of the inputs; "
     "pirate: `depth` residual blocks of three such layers; gaussian: [Gaussians](gaussians.md) of the "
     "inputs, "
     "which the outputs or hidden layers read",
     network_kinds},
    {"network.depth", whole_number, "2", "3",
     "hidden layers; of `\"pirate\"` at most 16 blocks; of `\"gaussian\"` 1 in problems with time, else "
     "none",
     from(1, 32)},
    {"network.width", whole_number, "24", "32", "units of a layer; see [defaults.md](defaults.md)",
     from(1, 4096)},
    {"network.activation", choice, R"("tanh")", R"("sin")", "of the hidden layers", activations},
    {"network.periodic_modes", whole_number, "5", "8", "k = 1 … modes for each periodic coordinate",
     from(1, 256)},
    {"network.normalize", boolean, "true", "false", "map ordinary coordinates to [−1, 1]"},
    {"network.hard_initial", boolean, "where the data is smooth", "false",
     "build explicit initial data u = f into the output: u = f + τN, τ = (t − T₀)/(T₁ − T₀) in the window "
     "[T₀, T₁]; where u_t = g is given for an equation of second order in time, u = f + (t − T₀) g + τ²N"},
    {"network.first_layer_scale", number, "1", "3",
     "multiplies the first layer's initial weights; about 3 for steep fronts", positive},
    {"network.initialization", choice, R"("glorot")", R"("siren")",
     "SIREN's, for `activation = \"sin\"`: weights uniform within ±√(6/n) of n inputs of a layer, "
     "±`first_layer_scale`/n in the first one (the paper's ω₀ = 30)",
     initializations},
    {"network.output_start", choice, R"("random")", R"("least_squares")",
     "weights of the outputs at the start: random, or those that minimise the loss (damped) with the other "
     "parameters as they are; see [optimizers.md](optimizers.md)",
     output_starts},
    {"network.output_damping", number, "0.01", "1e-12",
     "of `output_start = \"least_squares\"`: of the largest diagonal element of the normal equations; small "
     "values find the minimum however large the weights",
     from(0, 1)},
    {"network.fourier", table, "none", "{ frequencies = 32, scale = 1 }",
     "random Fourier features: cos(b·ξ), sin(b·ξ) beside the other inputs, ξ the coordinates mapped to "
     "[−1, 1], b normal. For a periodic coordinate b is rounded to whole periods"},
    {"network.fourier.frequencies", whole_number, "32", "64", "number of vectors b", from(1, 256)},
    {"network.fourier.scale", numbers, "1", "[1, 5]",
     "the standard deviation of b; a list shares the frequencies out", positive},
    {"network.gaussians", table, "see [gaussians.md](gaussians.md)", "{ count = 100, width = 0.4 }",
     "of kind gaussian: exp(−½ Σ ((ξ − μ)/σ)²) of the inputs ξ, with trained centres and widths"},
    {"network.gaussians.count", whole_number, "see [gaussians.md](gaussians.md)", "100", "how many",
     from(1, 4096)},
    {"network.gaussians.width", number, "see [gaussians.md](gaussians.md)", "0.4",
     "σ at the start, of inputs in [−1, 1]", positive},
    {"network.gaussians.placement", choice, R"("random")", R"("lattice")",
     "where centres begin: at quasi-random points, or on a lattice of as many of them as fill one",
     placements},
    {"network.gaussians.margin", whole_number, "0", "2",
     "of a lattice: cells more outside of each end of a range, but those of periodic coordinates",
     from(0, 100)},
    {"network.gaussians.covariance", choice, R"("diagonal")", R"("full")",
     "a width for each input, or any covariance, of at most 8 inputs", covariances},
    {"network.gaussians.direct", boolean, "false", "true",
     "the outputs read the Gaussians themselves, in problems with time too; not beside `depth`"},
    {"network.weight_factorization", table, "none", "{ mean = 0.5, deviation = 0.1 }",
     "random weight factorisation: each weight is W = diag(eˢ) V, s normal at the start, V and s are "
     "trained"},
    {"network.weight_factorization.mean", number, "0.5", "1", "of s", from(-10, 10)},
    {"network.weight_factorization.deviation", number, "0.1", "0.2", "standard deviation of s", from(0, 10)},
    {"network.scale", table, "found, see [defaults.md](defaults.md#the-size-of-an-unknown)", "{ u = 300 }",
     "by unknown: u = offset + scale·N; not beside `output`"},
    {"network.scale.<unknown>", number, "found", "300", "of this unknown", positive},
    {"network.offset", table, "found, see [defaults.md](defaults.md#the-size-of-an-unknown)", "{ u = 300 }",
     "by unknown, as `scale`"},
    {"network.offset.<unknown>", number, "found", "300", "of this unknown"},
    {"network.output", table, "none", R"({ u = "sin(pi*x) + t*u" })",
     "hard constraint: makes the solution of the network's raw outputs; no derivatives"},
    {"network.output.<unknown>", expression, "the raw output", R"("sin(pi*x) + t*u")",
     "in the coordinates and the raw outputs"},
    {"network.features", expressions, "none", R"_(["tanh(x/0.05)"])_",
     "extra inputs, expressions in the coordinates"},
    {"network.symmetry", table, "none", R"({ x = "odd" })",
     "the range must be symmetric about 0. A periodic even coordinate enters by its cosines alone"},
    {"network.symmetry.<coordinate>", choice, "none", R"("odd")", "of the solution in this coordinate",
     parities},
    {"network.<unknown>", table, "none", "{ width = 16 }",
     "a network of this unknown's own, on the same inputs; what is left out is as in `[network]`. Unknowns "
     "without such a table share one"},
    {"network.<unknown>.kind", choice, "as in `[network]`", R"("mlp")", "of its network", network_kinds},
    {"network.<unknown>.depth", whole_number, "as in `[network]`", "3", "of its network", from(1, 32)},
    {"network.<unknown>.width", whole_number, "as in `[network]`", "16", "of its network", from(1, 4096)},
    {"network.<unknown>.activation", choice, "as in `[network]`", R"("sin")", "of its network", activations},
    {"network.shared_layers", whole_number, "0", "1",
     "hidden layers (of `width` and `activation`) on the inputs with which all these networks begin, but "
     "those of Gaussians; their own layers follow",
     from(0, 32)},

    {"interfaces.<coordinate>", numbers, "where d(…) differentiates a jump", "[0.2, 0.5]",
     "the places, inside the range; one coordinate, neither time nor periodic"},

    {"lagrangian.velocity", table, "read off the equations", R"_({ x = "1 + u" })_",
     "of the labels, by coordinate; those that are left out do not move"},
    {"lagrangian.velocity.<coordinate>", expression, "none", R"("1 + u")",
     "in the coordinates and the unknowns, without derivatives"},
    {"lagrangian.labels", table, "the coordinates' ranges", "{ x = [-3, 2] }",
     "where the labels lie that reach the domain in time"},
    {"lagrangian.labels.<coordinate>", interval, "that of the coordinate", "[-3, 2]",
     "contains the range of the coordinate, which is not periodic"},
    {"lagrangian.derivatives", choice, R"("position")", R"("label")",
     "in space: of the solution by position (chain rule), or by label, as published", lagrangian_derivatives},
    {"lagrangian.floor", number, "1e-3", "0.01", "of the determinant of ∂x/∂X where derivatives divide by it",
     share},
    {"lagrangian.search", choice, R"("newton")", R"("linear")",
     "of the label that reaches a place: Newton's method, or linear interpolation between 256, as published",
     label_searches},

    {"training.precision", choice, R"("float64")", R"("float32")", "of the arithmetic", precisions},
    {"training.products", choice, R"("ieee")", R"("3xtf32")",
     "how a CUDA device multiplies float32 matrices in `adam`'s steps: see [cuda.md](cuda.md#products)",
     products},
    {"training.seed", whole_number, "0", "7", "of weights and points; with an exponent (`1e15`) up to 2⁵³",
     at_least(0)},
    {"training.points", table, "Sobol", "{ sobol = 2000 }", "where equations and conditions are to hold"},
    {"training.causal", table, "none", "{ slices = 32, epsilon = [1, 10] }",
     "residuals of later times count once those of earlier ones are small; see "
     "[causal-training.md](causal-training.md)"},
    {"training.windows", whole_number, R"(`"auto"` where a problem evolves, else 1)", "2",
     "parts of time, solved one after another, joined exactly: equal ones, or a list of their ends, or as "
     "the "
     "residuals ask for; see [windows.md](windows.md)",
     or_word(from(1, 10000), window_words)},
    {"training.stop", table, "60 seconds, unless every phase has an end of its own", "{ seconds = 60 }",
     "of the whole run: whichever comes first"},
    {"training.phase", tables, "one phase", R"([{ optimizer = "levenberg_marquardt", iterations = 300 }])",
     "optimisers, one after another in each window: a `[[training.phase]]` each"},

    {"training.points.grid", table, "none", "{ t = 50, x = 64 }", "a number of points for each coordinate",
     one_of()},
    {"training.points.grid.<coordinate>", whole_number, "required", "64", "in this coordinate", from(2, 1e8)},
    {"training.points.sobol", whole_number, "1.6 residuals for each parameter, at least 600", "2000",
     "interior points of a window, of a Sobol sequence; see [defaults.md](defaults.md)", one_of(points)},
    {"training.points.uniform", whole_number, "none", "2000", "independent ones instead", one_of(points)},
    {"training.points.latin_hypercube", whole_number, "none", "2000", "of a Latin hypercube instead",
     one_of(points)},
    {"training.points.condition_points", whole_number, "60 to 120; 250 with one coordinate", "300",
     "of each condition", points},
    {"training.points.resample_every", whole_number, "0", "100", "iterations between new points; 0: never",
     at_least(0)},
    {"training.points.adapt_every", whole_number,
     "100; 0 with a grid, dense, resample_every, causal weights or [lagrangian]", "100",
     "iterations after which points gather where the residual between them is large; 0: never", at_least(0)},
    {"training.points.dense", tables, "none", "[{ x = 0.0, width = 0.1, fraction = 0.3 }]",
     "the share `fraction` of the points lies within `width` of a place"},
    {"training.points.dense.N.<coordinate>", number, "required", "0.5",
     "the place; one coordinate for each region"},
    {"training.points.dense.N.width", number, "required", "0.1", "how far points lie from it at most",
     positive},
    {"training.points.dense.N.fraction", number, "required", "0.3",
     "of the points; those of all regions at most 1", share},

    {"training.causal.slices", whole_number, "32", "16", "divide a window in time", from(2, 100000)},
    {"training.causal.epsilon", numbers, "1", "[1, 10, 100]",
     "the strictness; a list is worked through in turn", positive},
    {"training.causal.stop_above", number, "0.99", "0.9", "ends a stage when the smallest weight is above it",
     share},

    {"training.stop.seconds", number, "no limit", "120", "of training", positive},
    {"training.stop.iterations", whole_number, "no limit", "100000", "in all", at_least(1)},
    {"training.stop.loss", number, "no limit", "1e-14", "ends below it", positive},
    {"training.stop.relative_l2", number, "no limit", "1e-6", "ends below this error; needs a reference",
     positive},

    {"training.phase.N.optimizer", choice, R"("levenberg_marquardt")", R"("adam")",
     "`\"adam\"` without a phase and beyond 4000 parameters", optimizer_kinds},
    {"training.phase.N.iterations", whole_number, "until it stalls or the run stops", "300", "of a window",
     at_least(1)},
    {"training.phase.N.seconds", number, "no limit", "30", "of a window", positive},
    {"training.phase.N.stall", table, "those of its keys", "{ factor = 0.98, iterations = 30 }",
     "not Adam: ends the phase when the loss is above factor × that of so many iterations ago"},
    {"training.phase.N.stall.factor", number, "0.98", "0.9", "of the loss", share},
    {"training.phase.N.stall.iterations", whole_number, "30, of L-BFGS 1000", "50", "between the two losses",
     from(1, 1e9)},
    {"training.phase.N.geodesic", boolean, "true", "false", "geodesic acceleration",
     of(OptimizerKind::levenberg_marquardt)},
    {"training.phase.N.memory", whole_number, "20", "30",
     "pairs of steps and changes of the gradient that are kept", of(OptimizerKind::lbfgs, from(1, 1000))},
    {"training.phase.N.precision", choice, "that of `[training]`", R"("float32")",
     "of this phase: begin fast, end exact", precisions},
    {"training.phase.N.learning_rate", number, "1e-3", "2e-3", "at the start",
     of(OptimizerKind::adam, positive)},
    {"training.phase.N.decay", table, "those of its keys", "{ factor = 0.8, every = 1000 }",
     "the rate is multiplied by factor every so many iterations", of(OptimizerKind::adam)},
    {"training.phase.N.decay.factor", number, "0.9", "0.8", "of the rate", share},
    {"training.phase.N.decay.every", whole_number, "5000", "1000", "iterations between", from(1, 1e9)},
    {"training.phase.N.decay.cosine", whole_number, "0", "20000",
     "instead: the rate falls to 0 along half a cosine in so many iterations; 0: it does not", from(0, 1e9)},
    {"training.phase.N.decay.one_cycle", whole_number, "0", "20000",
     "instead: one cycle of so many iterations, up to `learning_rate` and down again, each along half a "
     "cosine; "
     "0: it does not",
     from(0, 1e9)},
    {"training.phase.N.decay.pct_start", number, "0.2", "0.3", "of `one_cycle`: the share that goes up",
     share},
    {"training.phase.N.decay.div", number, "2", "25", "of `one_cycle`: it begins at `learning_rate`/div",
     from(1, 1e12)},
    {"training.phase.N.decay.final_div", number, "100", "1e4",
     "of `one_cycle`: it ends at `learning_rate`/(div · final_div)", from(1, 1e12)},
    {"training.phase.N.weight_decay", number, "0", "1e-4",
     "λ of AdamW: parameters shrink by learning rate · λ each iteration",
     of(OptimizerKind::adam, from(0, 100))},

    {"reference.exact", table, "none", R"_({ u = "exp(-t)*sin(pi*x)" })_",
     "unknowns may be left out: errors are those of the others", one_of()},
    {"reference.exact.<unknown>", expression, "none", R"_("exp(-t)*sin(pi*x)")_", "in the coordinates"},
    {"reference.solver", choice, "none", R"("etdrk4")",
     "own pseudo-spectral solver for periodic evolution equations", one_of(solvers)},
    {"reference.file", text, "none", R"("reference.npz")",
     "`.npz` with an array for each coordinate and unknown, e.g. `t`, `x`, `u[t, x]`; relative to the "
     "problem file, with `--set` to the working folder",
     one_of()},
    {"reference.grid", table, "see [defaults.md](defaults.md)", "{ t = 101, x = 256 }",
     "points for each coordinate where the error is measured"},
    {"reference.grid.<coordinate>", whole_number, "required", "101", "in this coordinate", from(2, 1e8)},
};
}  // namespace

std::span<const ProblemKey> problem_keys() { return table_of_keys; }

}  // namespace sobolev::detail
