// SPDX-License-Identifier: Apache-2.0
#pragma once
// Residuals on points that a network was not trained on, beside the size of their terms.
#include <memory>
#include <string>
#include <vector>

#include "evaluator.hpp"
#include "sobolev/pinn/solve.hpp"

namespace sobolev::detail {

/// Sums over points of one residual and of its terms.
struct ResidualSums {
  double squares = 0, largest = 0, points = 0;
  double least = 0;           // the least that its scale can be
  std::vector<double> place;  // of the largest
  std::vector<double> terms,
      everywhere;  // Σ term² on the same points; of a condition's terms in the interior
  double interior_points = 0;
  void add(const ResidualSums& other);
  double rms() const;
  /// rms of the largest term.
  double scale() const;
};

/// Measures windows one after another, of a solution that is trained or being trained.
class ResidualChecker {
 public:
  /// `count`: points of a window, and a quarter of that for each condition.
  /// Of what is trained for `asked`, the problem itself or its label problem: then equations are measured as
  /// they were asked, at labels, and those of the characteristics after them.
  ResidualChecker(const Cpu&, const Problem& asked, const Problem& trained, int count);
  ~ResidualChecker();
  /// One entry for each equation, then for each condition (without points where it belongs to another
  /// window).
  std::vector<ResidualSums> fresh(int window, const std::vector<std::vector<double>>& parameters);
  /// The same on the training points of that generation; a condition that is not trained has no points.
  /// `gathered`: further points of the equations.
  std::vector<ResidualSums> trained(int window, const std::vector<std::vector<double>>& parameters,
                                    long generation, const std::vector<double>& gathered = {});
  /// A window has got another end; those before it have not.
  void window_changed();
  /// Largest rms / scale of sums.
  double worst(const std::vector<ResidualSums>& sums) const;
  /// Residuals that a window is trained on.
  std::size_t rows(int window, long generation);

 private:
  struct Entry {  // an equation or a condition
    const Condition* condition;
    Expr residual;
    std::vector<Expr> terms;
    double natural;  // the least that its scale can be
  };
  struct Window;
  Window& window(int number);
  bool belongs(const Condition& condition, int window) const;
  std::vector<ResidualSums> measure(Window& w, const std::vector<std::vector<double>>& parameters,
                                    bool training, long generation, const std::vector<double>& gathered);
  Cpu cpu_;
  const Problem* problem_;
  int count_;
  std::vector<Entry> entries_;
  std::unique_ptr<Continuation> chain_;
  std::unique_ptr<Window> window_;
};

/// The assessment of a solution as far as it is trained.
Assessment assess(const Cpu&, const Solution::State& state);

}  // namespace sobolev::detail
