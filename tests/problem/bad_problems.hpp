// SPDX-License-Identifier: Apache-2.0
#pragma once
// Problem files with one mistake each, and where the error must point.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace sobolev::testing {

inline const std::string good_problem = R"toml(title = "Heat"
unknowns = ["u"]

[coordinates]
t = [0, 1]
x = [-1, 1]

[constants]
nu = 0.1

[equations]
heat = "u_t - nu*u_xx = 0"

[conditions]
initial = { where = "t = 0", equation = "u = sin(pi*x)", weight = 10 }
left = { where = "x = -1", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }

[network]
width = 8

[training]
windows = 2

[reference]
exact = { u = "exp(-nu*pi^2*t)*sin(pi*x)" }
)toml";

struct BadProblem {
  const char* name;
  const char* from;     // this piece of good_problem is replaced
  const char* to;       // by this; @ marks where the error must point
  const char* message;  // must be part of the message
};

/// The text, with the marker taken out, and the line and column of the marker.
struct MarkedText {
  std::string text;
  std::size_t line = 1, column = 1;
};

inline MarkedText text_of(const BadProblem& bad) {
  MarkedText out{good_problem};
  const std::size_t from = out.text.find(bad.from);
  if (from == std::string::npos) throw std::logic_error(std::string("no such piece: ") + bad.from);
  out.text.replace(from, std::string(bad.from).size(), bad.to);
  const std::size_t at = out.text.find('@');
  if (at == std::string::npos) throw std::logic_error(std::string("no marker in ") + bad.name);
  out.text.erase(at, 1);
  const auto mark = out.text.begin() + static_cast<std::ptrdiff_t>(at);
  out.line = 1 + static_cast<std::size_t>(std::count(out.text.begin(), mark, '\n'));
  for (auto c = mark; c != out.text.begin() && c[-1] != '\n'; --c)
    if ((static_cast<unsigned char>(c[-1]) & 0xC0) != 0x80) ++out.column;
  return out;
}

inline const std::vector<BadProblem> bad_problems = {
    // Not TOML.
    {"open_string", "title = \"Heat\"", "title = @\"Heat", "not closed on its line"},
    {"duplicate_key", "width = 8", "width = 8\nwidth = @9", "width"},
    {"open_text", "title = \"Heat\"", "title = @\"\"\"Heat", "the text that begins here is not closed"},
    {"not_utf8", "title = \"Heat\"", "title = \"W@\xE4rme\"", "byte 0xE4 is not UTF-8"},
    {"cut_utf8", "title = \"Heat\"", "title = \"Wä@\xC3\"", "byte 0xC3 is not UTF-8"},
    {"surrogate", "title = \"Heat\"", "title = \"@\xED\xA0\x80\"", "byte 0xED is not UTF-8"},
    {"deep_key", "width = 8",
     "width = 8\na.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a@.a.a.a.a.a.a.a = 1",
     "nested more than 32 levels"},
    {"deep_list", "width = 8", "width = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[@[8]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
     "nested more than 32 levels"},
    // Keys and types.
    {"unknown_section", "[training]", "[@trianing]",
     "unknown key trianing in a problem file; did you mean training?"},
    {"unknown_key", "width = 8", "@widht = 8", "unknown key widht in network; did you mean width?"},
    {"far_key", "width = 8", "@zzz = 8", "the keys are kind, depth, width"},
    {"key_of_a_section", "title = \"Heat\"", "@width = 8", "in a problem file; the keys are title, unknowns"},
    {"key_of_a_section_named", "title = \"Heat\"", "@width = 8",
     "; width is a key of [network], [network.gaussians], [network.<"},
    {"key_of_a_list", "windows = 2", "@learning_rate = 1e-3", "learning_rate is a key of [[training.phase]]"},
    {"key_of_the_top_level", "width = 8", "@title = \"Heat\"",
     "title is a key of the top level, above the first [table]"},
    {"key_here_and_elsewhere", "windows = 2", "stop = { @second = 2 }", "did you mean seconds?"},
    {"unknown_phase_key", "windows = 2", "[[training.phase]]\n@iteration = 5", "did you mean iterations?"},
    {"title_type", "title = \"Heat\"", "title = @3", "title: expected a text in quotes"},
    {"unknowns_type", "unknowns = [\"u\"]", "unknowns = @\"u\"", "unknowns: expected a list of names"},
    {"unknown_item", "unknowns = [\"u\"]", "unknowns = [@1]", "expected names in quotes"},
    {"width_type", "width = 8", "width = @\"eight\"",
     "network.width: expected a whole number, got the text \"eight\""},
    {"width_fraction", "width = 8", "width = @8.5", "expected a whole number, got the value 8.5"},
    {"normalize_type", "width = 8", "normalize = @1", "network.normalize: expected true or false"},
    {"range_type", "t = [0, 1]", "t = @1", "coordinates.t.range: expected a range [low, high]"},
    {"range_three", "t = [0, 1]", "t = @[0, 1, 2]", "expected a range"},
    {"range_missing", "t = [0, 1]", "t = @{ periodic = true }", "coordinates.t has no range"},
    {"section_type", "[network]\nwidth = 8", "[network]\noutput = @5", "network.output: expected a table"},
    {"phase_table", "windows = 2", "@[training.phase]\niterations = 3", "two brackets"},
    {"date", "nu = 0.1", "nu = @2024-01-01", "constants.nu: expected a number"},
    {"where_missing", "left = {", "@left = { equation = \"u = 0\" }\nother = {",
     "conditions.left has no where"},
    {"equation_missing", "left = {", "@left = { where = \"x = -1\" }\nother = {",
     "conditions.left has no equation"},
    // Values.
    {"negative_width", "width = 8", "width = @-3", "network.width is -3"},
    {"huge_width", "width = 8", "width = @1000000", "it must be from 1 to 4096"},
    {"overflow", "width = 8", "width = @99999999999", "whole numbers go up to"},
    {"empty_range", "t = [0, 1]", "t = @[1, 1]", "the range [1, 1] of t is empty"},
    {"reversed_range", "x = [-1, 1]", "x = @[1, -1]", "the range [1, -1] of x is empty"},
    {"infinite_range", "t = [0, 1]", "t = [0, @inf]",
     "coordinates.t.range.high is inf; give a finite number"},
    {"nan_constant", "nu = 0.1", "nu = @nan", "constants.nu is nan"},
    {"unknown_kind", "width = 8", "kind = @\"mpl\"", "network.kind is \"mpl\"; use mlp"},
    {"gaussians_of_an_mlp", "width = 8", "gaussians = @{ count = 9 }", "no network is of kind gaussian"},
    {"gaussians_behind_layers", "width = 8", "kind = \"gaussian\"\nshared_layers = @1\nu = { width = 8 }",
     "whose Gaussians are of the inputs"},
    {"no_gaussians", "width = 8", "kind = \"gaussian\"\ngaussians = { count = @0 }",
     "it must be from 1 to 4096"},
    {"margin_of_no_lattice", "width = 8", "kind = \"gaussian\"\ngaussians = { margin = @2 }",
     "add placement = \"lattice\""},
    {"layers_and_none", "width = 8", "kind = \"gaussian\"\ndepth = 2\ngaussians = { direct = @true }",
     "leave one of them out"},
    {"unknown_placement", "width = 8", "kind = \"gaussian\"\ngaussians = { placement = @\"grid\" }",
     "use random or lattice"},
    {"damping_of_no_start", "width = 8", "output_damping = @1e-9", "add output_start = \"least_squares\""},
    {"fourier", "width = 8", "fourier = { @features = 3, scale = 1 }", "frequencies"},
    {"no_frequencies", "width = 8", "fourier = { frequencies = @0 }", "frequencies is 0"},
    {"frequency_scale", "width = 8", "fourier = { scale = [1, @-2] }",
     "network.fourier.scale is -2; give a positive number"},
    {"first_layer_of_gaussians", "width = 8", "kind = \"gaussian\"\nfirst_layer_scale = @3",
     "whose layers do not read the inputs"},
    {"shared_by_nobody", "width = 8", "shared_layers = @1", "no unknown has a network of its own"},
    {"factorization", "width = 8", "weight_factorization = { deviation = @-1 }",
     "weight_factorization.deviation is -1"},
    {"own_width", "width = 8", "u = { width = @0 }", "network.u.width is 0"},
    {"own_key", "width = 8", "u = { @symmetry = 1 }", "network.u"},
    {"initialization", "width = 8", "initialization = @\"he\"", "use glorot or siren"},
    {"activation", "width = 8", "activation = @\"tahn\"",
     "use tanh, sin, gelu, swish or softplus; did you mean tanh?"},
    {"precision", "windows = 2", "precision = @\"double\"", "use float32 or float64"},
    {"products", "windows = 2", "products = @\"bf16\"", "use ieee, 3xtf32, 3xbf16 or tf32"},
    {"products_of_float64", "windows = 2", "products = @\"3xtf32\"", "add precision = \"float32\""},
    {"optimizer", "windows = 2", "[[training.phase]]\noptimizer = @\"rmsprop\"",
     "use adam, levenberg_marquardt or lbfgs"},
    {"adam_option", "windows = 2", "[[training.phase]]\n@learning_rate = 0.1", "an option of adam"},
    {"lbfgs_option", "windows = 2", "[[training.phase]]\n@memory = 5", "an option of lbfgs"},
    {"lbfgs_memory", "windows = 2", "[[training.phase]]\noptimizer = \"lbfgs\"\nmemory = @0",
     "it must be from 1 to 1000"},
    {"phase_precision", "windows = 2", "[[training.phase]]\nprecision = @\"half\"", "use float32 or float64"},
    {"lm_option", "windows = 2", "[[training.phase]]\noptimizer = \"adam\"\n@geodesic = true",
     "an option of levenberg_marquardt"},
    {"negative_iterations", "windows = 2", "[[training.phase]]\niterations = @-1",
     "training.phase.0.iterations is -1"},
    {"zero_iterations", "windows = 2", "stop = { iterations = @0 }", "training.stop.iterations is 0"},
    {"zero_seconds", "windows = 2", "stop = { seconds = @0.0 }", "leave it out for no limit"},
    {"zero_phase", "windows = 2", "[[training.phase]]\niterations = @0", "training.phase.0.iterations is 0"},
    {"huge_seed", "windows = 2", "seed = @1e18", "only up to 2^53; write all its digits"},
    {"negative_seed", "windows = 2", "seed = @-1", "training.seed is -1"},
    {"zero_windows", "windows = 2", "windows = @0", "training.windows is 0; it must be from 1"},
    {"negative_seconds", "windows = 2", "stop = { seconds = @-1 }", "training.stop.seconds is -1"},
    {"zero_points", "windows = 2", "points = { sobol = @0 }", "training.points.sobol is 0"},
    {"too_many_points", "windows = 2", "points = { sobol = @2000000000 }", "it must be from 1 to 100000000"},
    {"two_samplings", "windows = 2", "points = { sobol = 9, @uniform = 9 }", "both sobol and uniform"},
    {"grid_incomplete", "windows = 2", "points = { grid = @{ t = 9 } }",
     "does not say how many points x has"},
    {"grid_one", "windows = 2", "points = { grid = { t = 9, x = @1 } }",
     "training.points.grid.x is 1; it must be from 2 to 100000000"},
    {"grid_huge", "windows = 2", "points = { grid = @{ t = 100000, x = 100000 } }", "1e+10 points"},
    {"grid_unknown", "windows = 2", "points = { grid = { t = 9, @y = 9 } }", "unknown key y"},
    {"grid_resampled", "windows = 2", "points = { grid = { t = 9, x = 9 }, resample_every = @5 }",
     "a grid is the same each time"},
    {"time_unknown", "unknowns = [\"u\"]", "unknowns = [\"u\"]\ntime = @\"z\"",
     "time is \"z\", which is no coordinate"},
    {"grid_adapted", "windows = 2", "points = { grid = { t = 9, x = 9 }, adapt_every = @5 }",
     "a grid stays as it is"},
    {"adapted_and_resampled", "windows = 2", "points = { sobol = 9, resample_every = 5, adapt_every = @5 }",
     "gather nowhere"},
    {"adapted_causal", "windows = 2", "points = { sobol = 9, adapt_every = @5 }\ncausal = { slices = 4 }",
     "the same all the time"},
    {"adapted_backwards", "windows = 2", "points = { sobol = 9, adapt_every = @-5 }",
     "training.points.adapt_every is -5"},
    {"dense_outside", "windows = 2", "points = { dense = [{ x = @3, width = 0.1, fraction = 0.3 }] }",
     "must be from -1 to 1"},
    {"dense_incomplete", "windows = 2", "points = { dense = [@{ x = 0, width = 0.1 }] }",
     "needs a coordinate, width and fraction"},
    {"dense_share", "windows = 2",
     "points = { dense = [@{ x = 0, width = 0.1, fraction = 0.75 }, { x = 1, width = 0.1, fraction = 0.5 }] "
     "}",
     "add up to 1.25"},
    {"slices", "windows = 2", "causal = { slices = @1 }", "it must be from 2 to 100000"},
    {"stop_above", "windows = 2", "causal = { stop_above = @2 }", "must be from 0 to 1"},
    {"weight", "weight = 10", "weight = @-10", "conditions.initial.weight is -10; give a positive number"},
    {"solver", "exact = { u = \"exp(-nu*pi^2*t)*sin(pi*x)\" }", "solver = @\"etdrk5\"", "use etdrk4"},
    {"two_schedules", "windows = 2",
     "phase = [{ optimizer = \"adam\", decay = { cosine = 9, one_cycle = @9 } }]",
     "both cosine and one_cycle"},
    {"two_references", "exact = {", "solver = \"etdrk4\"\n@exact = {", "both solver and exact"},
    {"symmetry_word", "width = 8", "symmetry = { x = @\"both\" }", "use odd or even"},
    {"symmetry_range", "width = 8", "symmetry = { t = @\"odd\" }",
     "the range [0, 1] of t is not symmetric about 0"},
    {"modes", "width = 8", "periodic_modes = @3", "no coordinate is periodic"},
    // Names.
    {"name_function", "nu = 0.1", "nu = 0.1\n@sin = 2", "constant sin clashes with the function sin"},
    {"name_constant", "unknowns = [\"u\"]", "unknowns = [\"u\", @\"e\"]",
     "unknown e clashes with the constant e"},
    {"name_twice", "nu = 0.1", "nu = 0.1\n@x = 2", "constant x has the name of a coordinate"},
    {"name_derivative", "nu = 0.1", "nu = 0.1\n@u_x = 2", "reads as a derivative of u"},
    {"name_letters", "unknowns = [\"u\"]", "unknowns = [\"u\", @\"2u\"]", "\"2u\" is not a name"},
    {"name_equation", "heat = \"", "@u = \"", "equation u has the name of an unknown"},
    // Expressions.
    {"misspelt_name", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"u_t - @mu*u_xx = 0\"", "nu"},
    {"misspelt_function", "equation = \"u = sin(pi*x)\"", "equation = \"u = @sinn(pi*x)\"", "sin"},
    {"escaped", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"\\u0075_t - @mu*u_xx = 0\"", "nu"},
    {"literal", "heat = \"u_t - nu*u_xx = 0\"", "heat = 'u_t - @mu*u_xx = 0'", "nu"},
    {"two_lines", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"\"\"\nu_t\n  - @mu*u_xx = 0\"\"\"", "nu"},
    {"continued", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"\"\"u_t \\\n     - @mu*u_xx = 0\"\"\"", "nu"},
    {"after_umlaut", "heat = \"u_t - nu*u_xx = 0\"", "\"wärme\" = \"u_t - @mu*u_xx\"", "nu"},
    {"constant_division", "nu = 0.1", "nu = \"@1 / 0\"", ""},
    {"unknown_constant_without_start", "nu = 0.1", "nu = @{ }", "constants.nu has no initial value"},
    {"unknown_constant_that_nothing_uses", "nu = 0.1", "nu = 0.1\n@mu = { initial = 1 }",
     "no equation or condition contains the unknown constant mu"},
    {"constant_later", "nu = 0.1", "nu = \"2*@mu\"\nmu = 1", "constants.nu"},
    {"constant_not", "t = [0, 1]", "t = [0, \"2*@x\"]", "coordinates.t.range.high"},
    {"output_derivative", "width = 8", "output = { u = @\"t*u_x\" }", "contains the derivative u_x"},
    {"feature_unknown", "width = 8", "features = [\"x*@u\"]", "network.features.0"},
    {"feature_constant", "width = 8", "features = [@\"2\"]", "must be an expression in the coordinates"},
    {"exact_unknown", "exact = { u = \"exp(-nu*pi^2*t)*sin(pi*x)\" }", "exact = { u = \"@u\" }",
     "reference.exact.u"},
    {"exact_name", "exact = { u =", "exact = { @v =", "unknown key v in reference.exact"},
    {"comparison", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"u_t - nu*u_xx = (x @< 0.5)\"",
     "heaviside(b - a) for a < b"},
    {"periodic_by_values", "equation = \"u = 0\" }\nright", "equation = \"@u(-1) = u(1)\" }\nright",
     "periodic = true"},
    {"complex", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"@i*u_t - nu*u_xx = 0\"", "two unknowns"},
    {"logarithm", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"u_t - nu*u_xx = @ln(2 + x)\"", "is log(…)"},
    // Jumps.
    {"jump_in_divergence", "heat = \"u_t - nu*u_xx = 0\"",
     "heat = \"u_t - @d((1 + heaviside(x - t))*u_x, x) = 0\"", "heaviside(x - t) jumps at x = 0, t = 0"},
    {"jump_of_unknown", "heat = \"u_t - nu*u_xx = 0\"", "heat = \"u_t - @d(max(u, 0), x, x) = 0\"",
     "delta function"},
    {"jump_in_condition", "where = \"x = -1\", equation = \"u = 0\"",
     "where = \"t = 1\", equation = \"u = @d(sign(x), x)\"", "sign(x) jumps at x = 0"},
    {"jump_in_output", "width = 8", "output = { u = @\"abs(x) + t*u\" }",
     "network.output.u is differentiated to u_xx in equation heat"},
    {"jump_in_feature", "width = 8", "features = [\"sin(x)\", @\"abs(x)\"]",
     "network.features.1 is differentiated to u_xx in equation heat"},
    // Sense.
    {"no_unknowns", "unknowns = [\"u\"]", "unknowns = @[]", "there are no unknowns"},
    {"no_unknowns_key", "title = \"Heat\"\nunknowns = [\"u\"]\n", "@title = \"Heat\"\n",
     "unknowns is missing"},
    {"unused_unknown", "unknowns = [\"u\"]", "unknowns = [\"u\", @\"v\"]",
     "no equation contains the unknown v"},
    {"no_equations", "[equations]\nheat = \"u_t - nu*u_xx = 0\"", "@[equations]", "there are no equations"},
    {"equation_without_unknown", "heat = \"", "@source = \"x = t\"\nheat = \"",
     "equation source contains no unknown"},
    {"order", "heat = \"", "@long = \"u_t = u_xxxxxxxxx\"\nheat = \"", "of order 9 in x; orders up to 8"},
    {"channels", "heat = \"", "@wide = \"d(u, t, t, t, t, t, t, t, x, x, x, x, x, x, x, x)\"\nheat = \"",
     "cannot be carried together"},
    {"condition_order", "equation = \"u = sin(pi*x)\"", "equation = @\"u_ttttttttt = 0\"", "of order 9 in t"},
    {"dimensions", "[coordinates]\n",
     "@[coordinates]\na=[0,1]\nb=[0,1]\nc=[0,1]\nf=[0,1]\ng=[0,1]\nh=[0,1]\nk=[0,1]\n",
     "there are 9 coordinates; up to 8"},
    {"condition_without_unknown", "equation = \"u = sin(pi*x)\"", "equation = @\"x = 0\"",
     "condition initial contains no unknown"},
    {"where_outside", "where = \"t = 0\"", "where = @\"t = 2\"",
     "condition initial is at t = 2, outside the range [0, 1]"},
    {"where_unknown", "where = \"t = 0\"", "where = \"@z = 0\"", "\"z\" is not a coordinate"},
    {"where_form", "where = \"t = 0\"", "where = \"@start\"", "expected coordinate = value"},
    {"where_interval", "where = \"t = 0\"", "where = \"0.2 @<= t <= 0.5\"",
     "heaviside(t - 0.2)*heaviside(0.5 - t)*(u - 1) = 0"},
    {"where_twice", "where = \"t = 0\"", "where = \"t = 0, @t = 0\"", "t is fixed twice"},
    {"where_value", "where = \"t = 0\"", "where = \"t = @zero\"", "conditions.initial.where"},
    {"periodic_boundary",
     "x = [-1, 1]\n\n[constants]\nnu = 0.1\n\n[equations]\nheat = \"u_t - nu*u_xx = 0\"\n\n[conditions]\n"
     "initial = { where = \"t = 0\", equation = \"u = sin(pi*x)\", weight = 10 }\nleft = { where = \"x = "
     "-1\"",
     "x = { range = [-1, 1], periodic = true }\n\n[constants]\nnu = 0.1\n\n[equations]\nheat = \"u_t - "
     "nu*u_xx = 0\"\n\n"
     "[conditions]\ninitial = { where = \"t = 0\", equation = \"u = sin(pi*x)\", weight = 10 }\nleft = { "
     "where = @\"x = -1\"",
     "condition left fixes x, which is periodic"},
};

}  // namespace sobolev::testing
