// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/sobolev/commands.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/io/report.hpp"
#include "sobolev/pinn/solve.hpp"

namespace sobolev::app {

/// Names of the files of a run.
inline constexpr const char* checkpoint_name = "checkpoint.safetensors";
inline constexpr const char* result_name = "result.json";
inline constexpr const char* history_name = "history.csv";
inline constexpr const char* solution_name = "solution.npz";
inline constexpr const char* report_name = "report.html";

/// The object of result.json.
nlohmann::ordered_json result_object(const DeviceChoice& device, const Cpu& host, const Solution& solution);
/// The history with a last row that stands where the results do: its error and its residual are the final
/// ones, the largest of all.
std::vector<HistoryRow> history_to_the_end(const Solution& solution);
/// What report.html shows.
Report report_of(const Solution& solution, const Solution::Table& table,
                 const nlohmann::ordered_json& result);
/// Writes all but the checkpoint, each whole or not at all, as many as can be written. Returns why the others
/// could not. before_first: when the first is about to take its name.
std::vector<std::string> write_results(const Cpu& host, const Solution& solution,
                                       const nlohmann::ordered_json& result,
                                       const std::filesystem::path& folder,
                                       const std::function<void()>& before_first);

}  // namespace sobolev::app
