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
#include "sobolev/pinn/error_estimate.hpp"
#include "sobolev/pinn/solve.hpp"

namespace sobolev::app {

/// By unknown: `difference` and `accuracy`.
nlohmann::ordered_json comparisons_json(const std::vector<Comparison>& comparisons);

/// Names of the files of a run.
inline constexpr const char* checkpoint_name = "checkpoint.safetensors";
inline constexpr const char* result_name = "result.json";
inline constexpr const char* history_name = "history.csv";
inline constexpr const char* solution_name = "solution.npz";
inline constexpr const char* report_name = "report.html";
inline constexpr const char* verify_name = "verify.json";
inline constexpr const char* verify_arrays_name = "verify.npz";
inline constexpr const char* verify_page_name = "verify.html";

/// The object of result.json.
nlohmann::ordered_json result_object(const DeviceChoice& device, const Cpu& host, const Solution& solution);
/// What result.json has as `verify`, and verify.json.
nlohmann::ordered_json estimate_object(const ErrorEstimate& estimate);
/// The estimate, as lines of a summary.
std::string estimate_text(const ErrorEstimate& estimate);
/// Puts it into a report on the same grid.
void add_estimate(Report& report, const ErrorEstimate& estimate);
/// Writes verify.json, verify.npz and verify.html, as write_results does; result.json in that folder, where
/// there is one of this solution, gets the estimate as well.
std::vector<std::string> write_estimate(const Cpu& host, const Solution& solution,
                                        const ErrorEstimate& estimate, const std::filesystem::path& folder);
/// The history with a last row that stands where the results do: its error and its residual are the final
/// ones, the largest of all.
std::vector<HistoryRow> history_to_the_end(const Solution& solution);
/// What report.html shows.
Report report_of(const Solution& solution, const Solution::Table& table,
                 const nlohmann::ordered_json& result);
/// Writes all but the checkpoint, each whole or not at all, as many as can be written. Returns why the others
/// could not. before_first: when the first is about to take its name. `estimate` goes into the report.
std::vector<std::string> write_results(const Cpu& host, const Solution& solution,
                                       const nlohmann::ordered_json& result,
                                       const std::filesystem::path& folder,
                                       const std::function<void()>& before_first,
                                       const ErrorEstimate* estimate = nullptr);

}  // namespace sobolev::app
