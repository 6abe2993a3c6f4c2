// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a training tells while it goes on.
#include <optional>

namespace sobolev {

/// One line of the training history.
struct HistoryRow {
  long iteration = 0;  // over all windows and phases
  int window = 0;
  int phase = 0;
  double seconds = 0;  // training time so far, over interruptions
  double loss = 0;
  std::optional<double> relative_l2;
  std::optional<double> residual = {};  // largest rms / scale of the residuals, on fresh points
};

struct Progress {
  HistoryRow row;
  int windows = 1;
  double points_per_second = 0;
  double fraction = 0;  // of the run, estimated, 0 … 1
};

}  // namespace sobolev
