// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/pinn/solve.hpp"

namespace sobolev::app {

enum ExitCode { done = 0, internal_error = 1, wrong_input = 2, no_device = 3, diverged = 4, doubtful = 5 };

struct CommonOptions {
  std::string device = "cpu";
  int threads = 0;  // 0: all
  bool json = false;
  bool quiet = false;
};

struct SolveCommand : CommonOptions {
  std::string problem;  // path or zoo name; may be empty with resume
  std::vector<std::string> overrides;
  std::optional<unsigned long> seed;
  std::filesystem::path out;     // empty: runs/<problem name>
  std::filesystem::path resume;  // a folder; empty: a new run
  double checkpoint_every = 5;   // seconds
  bool profile = false;
  bool strict = false;  // doubt becomes an exit code
  bool verify = false;  // estimate the error at the end
};
int run_solve(const SolveCommand& command);

struct TrainCommand : CommonOptions {
  std::string model;           // path or name; may be empty with resume
  std::filesystem::path data;  // in the place of data.file
  std::vector<std::string> overrides;
  std::optional<unsigned long> seed;
  std::filesystem::path out;     // empty: runs/<model name>
  std::filesystem::path resume;  // a folder; empty: a new training
  double checkpoint_every = 60;  // seconds
};
int run_train(const TrainCommand& command);

struct EvaluateCommand : CommonOptions {
  std::filesystem::path run;  // a folder or checkpoint; or problem and weights
  std::string problem;
  std::filesystem::path weights, points, out;
  std::vector<std::string> overrides;
  std::string outputs;
  std::filesystem::path input;       // of an operator's model: fields
  std::optional<std::size_t> steps;  // of a roll-out; empty: those of the training
};
/// Fields that a model of an operator makes of those in command.input.
int run_apply(const EvaluateCommand& command);
int run_evaluate(const EvaluateCommand& command);

struct LandscapeCommand {
  std::filesystem::path run, out;  // out: a folder; empty: that of the run
  int points = 41;
  double range = 1;
  int steps = 64, probes = 8;
  int window = 0;  // from 1; 0: the last
  unsigned long seed = 0;
  int threads = 0;
  bool json = false, quiet = false;
};
int run_landscape(const LandscapeCommand& command);

struct VerifyCommand {
  std::filesystem::path run, out;  // out: a folder; empty: that of the run
  double seconds = 0;              // 0: half of those of the training
  unsigned long seed = 1;
  int threads = 0;
  bool json = false, quiet = false;
};
int run_verify(const VerifyCommand& command);

struct GenerateCommand {
  std::string name;  // empty: all are listed
  std::optional<unsigned long> samples;
  std::optional<int> grid;
  std::vector<std::string> assignments;
  unsigned long seed = 0;
  std::filesystem::path out;
  bool options = false;  // list those of the generator
  bool single = false;
  int threads = 0;
  bool json = false, quiet = false;
};
int run_generate(const GenerateCommand& command);

struct CheckCommand {
  std::string problem;
  std::vector<std::string> overrides;
  bool json = false;
};
int run_check(const CheckCommand& command);
int run_list(bool json);

struct KeysCommand {
  std::string prefix;  // empty: all
  bool json = false;
  bool markdown = false;  // the tables of docs/problem-files.md
  bool models = false;    // of model files, of docs/operators.md
};
int run_keys(const KeysCommand& command);
int run_info(bool json);

/// Solution::load with errors that name the file, whatever is wrong in it.
Solution load_checkpoint(const std::filesystem::path& path);
/// What --device names: the CPU, or a CUDA device by index. ArgumentError for anything else, DeviceError for
/// a CUDA device that this build or machine does not have.
struct DeviceChoice {
  bool cuda = false;
  int index = 0;
};
DeviceChoice parse_device(const std::string& name);
/// Of all CUDA devices, by index.
std::vector<std::string> cuda_device_names();
/// The JSON object as the only thing on stdout. Bytes that are no UTF-8 are replaced.
void print_json(const nlohmann::ordered_json& object);

}  // namespace sobolev::app
