// SPDX-License-Identifier: Apache-2.0
// The command: usage, and errors as messages and exit codes.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/core/words.hpp"

namespace sobolev::app {
namespace {
constexpr const char* description =
    "Solves differential equations, given as text, with physics-informed networks, and learns their\n"
    "operators from data. A PROBLEM is a file or a name of the zoo (sobolev list).";
constexpr const char* footer =
    "Examples:\n"
    "  sobolev solve burgers --set training.stop.seconds=20\n"
    "  sobolev solve my_problem.toml --out runs/first --threads 2\n"
    "  sobolev generate darcy --samples 1200 --grid 421 --out darcy.h5\n"
    "  sobolev train fno_darcy --data darcy.h5 --out runs/darcy\n"
    "  sobolev evaluate runs/burgers --points points.npy --outputs \"u,u_x\" --out values.npz\n"
    "Exit codes: 0 done; 1 an error of sobolev itself; 2 wrong input; 3 no such device, or out of memory;\n"
    "4 the training diverged; 5 with --strict: the answer is doubtful; 129, 130, 141, 143 ended by a signal\n"
    "(the state is saved, --resume goes on).";

void add_common(CLI::App& app, CommonOptions& options) {
  app.add_option("--device", options.device, "cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--threads", options.threads, "threads; 0: all")->check(CLI::Range(0, 4096));
  app.add_flag("--json", options.json, "print one JSON object on stdout");
  app.add_flag("--quiet", options.quiet, "no progress, no summary");
}

void add_overrides(CLI::App& app, std::vector<std::string>& overrides) {
  app.add_option("--set", overrides, "override a key of the problem: key.path=value (may be repeated)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

int fail(ExitCode code, const std::string& message, bool json) {
  print_error("sobolev: {}\n", message);
  if (json) print_json({{"error", message}, {"exit_code", static_cast<int>(code)}});
  return code;
}

/// Runs a command; exceptions become a message and an exit code.
int guarded(const std::function<int()>& command, bool json) {
  try {
    Cpu::instruction_set();  // a SOBOLEV_SIMD that names none is said before anything is done
    return command();
  } catch (const DivergenceError& error) {
    return fail(diverged, error.what(), json);
  } catch (const DeviceError& error) {
    return fail(no_device, error.what(), json);
  } catch (const OutOfMemory& error) {
    return fail(no_device, error.what(), json);
  } catch (const std::bad_alloc&) {
    return fail(no_device, "out of memory; use fewer points or a smaller network", json);
  } catch (const ParseError& error) {
    return fail(wrong_input, error.what(), json);
  } catch (const FileError& error) {
    return fail(wrong_input, error.what(), json);
  } catch (const ArgumentError& error) {
    return fail(wrong_input, error.what(), json);
  } catch (const std::exception& error) {
    return fail(internal_error, error.what(), json);
  }
}

/// "" for digits that fit; else what to give.
std::string wrong_seed(std::string& text) {
  constexpr std::string_view largest = "9223372036854775807";
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && (text.size() < largest.size() || (text.size() == largest.size() && text <= largest)))
    return {};
  return fmt::format("\"{}\" is no seed; give a whole number in digits, from 0 to {}", text, largest);
}

/// Seconds from `least` on; CLI::Range lets what is no number pass.
CLI::Validator seconds_from(double least) {
  return CLI::Validator(
      [least](std::string& text) {
        constexpr double most = 1e9;
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return std::string();
        return fmt::format("\"{}\" are no seconds; give a number from {:g} to {:g}", text, least, most);
      },
      "SECONDS");
}

/// What to say of a first word that is no command; "" for a command or an option.
std::string wrong_command(const CLI::App& app, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (word.empty() || word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end())
    return {};
  const std::string near = nearest_name(word, names);
  return fmt::format("there is no command {}{}; the commands are {}", word,
                     near.empty() ? "" : fmt::format(", did you mean {}?", near), fmt::join(names, ", "));
}

int run(int argc, char** argv) {
  CLI::App app(description, "sobolev");
  app.footer(footer);
  app.set_version_flag("--version", "sobolev " + version());
  app.require_subcommand(1);

  SolveCommand solve;
  CLI::App* solve_app = app.add_subcommand("solve", "train a network on a problem");
  solve_app->add_option("PROBLEM", solve.problem, "file or name");
  add_overrides(*solve_app, solve.overrides);
  solve_app->add_option("--seed", solve.seed, "seed of all random numbers")
      ->check(CLI::Validator(wrong_seed, "WHOLE NUMBER"));
  solve_app->add_option("--out", solve.out, "folder of the results (default: runs/<problem>)");
  solve_app->add_option("--resume", solve.resume, "go on with the run in this folder");
  solve_app->add_option("--checkpoint-every", solve.checkpoint_every, "seconds between checkpoints")
      ->capture_default_str();
  solve_app->add_flag("--profile", solve.profile,
                      "print the time per operation on stderr (slows a device down)");
  solve_app->add_flag("--verify", solve.verify,
                      "estimate the error at the end, for half as long as the training took");
  solve_app->add_flag("--strict", solve.strict, "exit with 5 when the answer is doubtful");
  add_common(*solve_app, solve);

  TrainCommand train;
  CLI::App* train_app = app.add_subcommand("train", "train a model of an operator on data");
  train_app->add_option("MODEL", train.model, "file or name");
  train_app->add_option("--data", train.data, "file of the samples, in the place of data.file");
  add_overrides(*train_app, train.overrides);
  train_app->add_option("--seed", train.seed, "seed of all random numbers")
      ->check(CLI::Validator(wrong_seed, "WHOLE NUMBER"));
  train_app->add_option("--out", train.out, "folder of the results (default: runs/<model>)");
  train_app->add_option("--resume", train.resume, "go on with the training in this folder");
  train_app->add_option("--checkpoint-every", train.checkpoint_every, "seconds between checkpoints")
      ->check(seconds_from(0.001))
      ->capture_default_str();
  add_common(*train_app, train);

  EvaluateCommand evaluate;
  CLI::App* evaluate_app =
      app.add_subcommand("evaluate", "values of a solution at given points, or what a model makes of fields");
  evaluate_app->add_option("RUN_DIR", evaluate.run, "folder of a run");
  evaluate_app->add_option("--input", evaluate.input, "of a model of an operator: file with its inputs");
  evaluate_app
      ->add_option("--steps", evaluate.steps, "with --input: times of a roll-out (default: as trained)")
      ->check(CLI::Range(1ul, 1'000'000ul));
  evaluate_app->add_option("--problem", evaluate.problem, "file or name, with --weights");
  evaluate_app->add_option("--weights", evaluate.weights, "safetensors with layers.<l>.weight and .bias");
  add_overrides(*evaluate_app, evaluate.overrides);
  evaluate_app->add_option("--points", evaluate.points,
                           "float64 .npy of shape [N, D], columns in coordinate order");
  evaluate_app->add_option("--outputs", evaluate.outputs,
                           "unknowns, derivatives, equations, expressions, e.g. \"u,u_x\"");
  evaluate_app->add_option("--out", evaluate.out, ".npz with one array per output")->required();
  add_common(*evaluate_app, evaluate);

  LandscapeCommand landscape;
  CLI::App* landscape_app =
      app.add_subcommand("landscape", "the loss around a solution, and the spectrum of its Hessian");
  landscape_app->add_option("RUN_DIR", landscape.run, "folder of a run, or a checkpoint")->required();
  landscape_app->add_option("--out", landscape.out,
                            "folder of landscape.npz and landscape.html (default: the run's)");
  landscape_app->add_option("--points", landscape.points, "losses along each of two random directions")
      ->check(CLI::Range(2, 1001))
      ->capture_default_str();
  landscape_app->add_option("--range", landscape.range, "how far: 1 is as long as the weights")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  landscape_app->add_option("--steps", landscape.steps, "of Lanczos, for the spectrum")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  landscape_app->add_option("--probes", landscape.probes, "random vectors that Lanczos begins with")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  landscape_app->add_option("--window", landscape.window, "time window, from 1; 0: the last")
      ->check(CLI::Range(0, 10000));
  landscape_app->add_option("--seed", landscape.seed, "of the directions and random vectors")
      ->check(CLI::Validator(wrong_seed, "WHOLE NUMBER"));
  landscape_app->add_option("--threads", landscape.threads, "threads; 0: all")->check(CLI::Range(0, 4096));
  landscape_app->add_flag("--json", landscape.json, "print one JSON object on stdout");
  landscape_app->add_flag("--quiet", landscape.quiet, "no summary");

  VerifyCommand verify;
  CLI::App* verify_app = app.add_subcommand("verify", "estimate the error of a solution without a reference");
  verify_app->add_option("RUN_DIR", verify.run, "folder of a run, or a checkpoint")->required();
  verify_app->add_option("--seconds", verify.seconds, "0: half of those of the training, at least 5")
      ->check(seconds_from(0))
      ->capture_default_str();
  verify_app->add_option("--out", verify.out,
                         "folder of verify.json, verify.npz and verify.html (default: the run's)");
  verify_app->add_option("--seed", verify.seed, "of the points and networks")
      ->check(CLI::Validator(wrong_seed, "WHOLE NUMBER"))
      ->capture_default_str();
  verify_app->add_option("--threads", verify.threads, "threads; 0: all")->check(CLI::Range(0, 4096));
  verify_app->add_flag("--json", verify.json, "print one JSON object on stdout");
  verify_app->add_flag("--quiet", verify.quiet, "no progress, no summary");

  GenerateCommand generate;
  CLI::App* generate_app = app.add_subcommand("generate", "data for neural operators, by published recipes");
  generate_app->add_option("NAME", generate.name, "of the recipe; without: which there are");
  generate_app->add_flag("--options", generate.options, "list the recipe's options instead");
  generate_app->add_option("--samples", generate.samples, "how many")->check(CLI::Range(1ul, 100'000'000ul));
  generate_app->add_option("--grid", generate.grid, "points along each axis (default: as published)");
  generate_app->add_option("--seed", generate.seed, "of all random numbers")
      ->check(CLI::Validator(wrong_seed, "WHOLE NUMBER"));
  generate_app->add_option("--out", generate.out, "file: .h5, .hdf5 or .npz");
  generate_app->add_option("--set", generate.assignments, "an option of the recipe (may be repeated)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  generate_app->add_flag("--float32", generate.single, "write float32 (default: float64)");
  generate_app->add_option("--threads", generate.threads, "threads; 0: all")->check(CLI::Range(0, 4096));
  generate_app->add_flag("--json", generate.json, "print one JSON object on stdout");
  generate_app->add_flag("--quiet", generate.quiet, "no progress, no summary");

  CheckCommand check;
  CLI::App* check_app = app.add_subcommand("check", "read a problem and say what was understood");
  check_app->add_option("PROBLEM", check.problem, "file or name")->required();
  add_overrides(*check_app, check.overrides);
  check_app->add_flag("--json", check.json, "print one JSON object on stdout");

  KeysCommand keys;
  CLI::App* keys_app = app.add_subcommand("keys", "the keys of problem files and model files");
  keys_app->add_option("PREFIX", keys.prefix,
                       "a table, a key or its last word: network, training.stop, width");
  CLI::Option* keys_json = keys_app->add_flag("--json", keys.json, "print one JSON object on stdout");
  keys_app->add_flag("--markdown", keys.markdown, "print the tables of the reference page")
      ->excludes(keys_json);
  keys_app->add_flag("--models", keys.models, "of model files (sobolev train)");

  bool list_json = false, info_json = false;
  CLI::App* list_app = app.add_subcommand("list", "the problems and models that ship with sobolev");
  list_app->add_flag("--json", list_json, "print one JSON object on stdout");
  CLI::App* info_app = app.add_subcommand("info", "version, processor, threads");
  info_app->add_flag("--json", info_json, "print one JSON object on stdout");

  if (const std::string message = argc > 1 ? wrong_command(app, argv[1]) : ""; !message.empty())
    return fail(
        wrong_input, message + "; see sobolev --help",
        std::any_of(argv + 2, argv + argc, [](const char* a) { return std::string_view(a) == "--json"; }));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help, --version
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const bool json = solve.json || train.json || evaluate.json || landscape.json || verify.json ||
                      generate.json || check.json || keys.json || list_json || info_json;
    std::string program = "sobolev";
    for (const CLI::App* used : app.get_subcommands()) program += " " + used->get_name();
    return fail(wrong_input, fmt::format("{}; see {} --help", error.what(), program), json);
  }
  if (solve_app->parsed()) return guarded([&] { return run_solve(solve); }, solve.json);
  if (train_app->parsed()) return guarded([&] { return run_train(train); }, train.json);
  if (evaluate_app->parsed()) return guarded([&] { return run_evaluate(evaluate); }, evaluate.json);
  if (landscape_app->parsed()) return guarded([&] { return run_landscape(landscape); }, landscape.json);
  if (verify_app->parsed()) return guarded([&] { return run_verify(verify); }, verify.json);
  if (generate_app->parsed()) return guarded([&] { return run_generate(generate); }, generate.json);
  if (check_app->parsed()) return guarded([&] { return run_check(check); }, check.json);
  if (keys_app->parsed()) return guarded([&] { return run_keys(keys); }, keys.json);
  if (list_app->parsed()) return guarded([&] { return run_list(list_json); }, list_json);
  return guarded([&] { return run_info(info_json); }, info_json);
}
}  // namespace

void print_json(const nlohmann::ordered_json& object) {
  print("{}\n", object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace sobolev::app

int main(int argc, char** argv) {
  sobolev::app::open_standard_streams();
  // OpenMP threads that wait spin for a long time by default, which costs a factor of ten on a machine
  // that does other work as well. The run-time library reads this when the program is loaded.
  if (!std::getenv("OMP_WAIT_POLICY") && !std::getenv("GOMP_SPINCOUNT") && !std::getenv("KMP_BLOCKTIME")) {
    ::setenv("GOMP_SPINCOUNT", "1000", 0);
    ::setenv("KMP_BLOCKTIME", "0", 0);
    ::execv("/proc/self/exe", argv);  // where that fails the program just goes on
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit then is an error of write(), with a message
  const int code = sobolev::app::run(argc, argv);
  const int error = sobolev::app::output_error();
  if (error == 0) return code;
  sobolev::app::print_error("sobolev: cannot write to standard output: {}\n", std::strerror(error));
  return code != 0 ? code : sobolev::app::wrong_input;
}
