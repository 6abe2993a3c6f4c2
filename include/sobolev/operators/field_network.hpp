// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/operators/channel_mix.hpp"
#include "sobolev/operators/convolution.hpp"
#include "sobolev/spectral/modes.hpp"

namespace sobolev {

/// Points added at both ends of an axis: so many, and a fraction of the axis' points, rounded to the nearest.
struct Margin {
  std::size_t before = 0, after = 0;
  double fraction = 0;
};

/// One of the steps of a network of fields. A slot holds a field [B, N, C]; slot 0 is the input, and each
/// instruction fills the next one.
struct FieldInstruction {
  enum class Kind {
    coordinates,  // the channels of x, then the coordinates of each point, axis by axis
    mix,          // σ(x W + b + a), point by point    parameters: W [C, O], b [O]
    spectral,     // Re F⁻¹(R F x)                      parameters: R [M, 2, C, O]; truncated_transform.hpp
    scale,        // w ⊙ x, channel by channel          parameters: w [C]
    pad,          // zeros around the field
    crop,         // what pad added is taken away
    query,        // the points that are asked for, a second input [B or 1, P, D]
    flatten,      // all points as one, of N C channels
    convolve,     // σ(x ∗ W + b + a); convolution.hpp   parameters: W [w^d, C, O], b [O]
    normalise,    // σ(w ⊙ x̂ + b) by groups of channels; group_norm.hpp   parameters: w, b [C] or [N, C]
    basis,        // Σ_k β τ + c; basis_product.hpp   β: in, τ: trunk   parameters: c [O]
  };
  Kind kind;
  int in, added, out;  // slots; added: −1 for none; query reads none
  int trunk = -1;      // a slot, of basis
  int like = -1;       // a slot whose grid convolve's output has; −1: what comes out of its own
  ConvolutionOptions convolution;
  std::size_t groups = 1, weights = 0;  // of normalise
  std::size_t inputs, outputs;          // channels
  FieldActivation activation = FieldActivation::identity;
  std::size_t weight = 0;  // where W, R or w begins in the parameters
  std::optional<std::size_t> bias;
  std::vector<ModeRange> modes;
  std::vector<Margin> margin;  // pad and crop, by axis
  std::vector<std::pair<double, double>>
      coordinates;         // of the first and the last point, or of the end, by axis
  bool end_point = false;  // the last point has the second of them
};

/// A network of fields as a list of instructions: what neural operators are. All parameters θ are one flat
/// array.
class FieldNetwork {
 public:
  /// On grids of `axes` axes, 1 … 3. ArgumentError beyond.
  FieldNetwork(int axes, std::size_t inputs);

  // Each appends an instruction and returns the slot that it fills; `name` is that of its parameters.
  // ArgumentError for slots that there are not, and channels or axes that do not match.
  int coordinates(int x, const std::vector<std::pair<double, double>>& ends, bool end_point);
  int mix(int x, std::size_t outputs, FieldActivation activation, const std::string& name, bool bias = true,
          int added = -1);
  int spectral(int x, std::size_t outputs, const std::vector<ModeRange>& modes, const std::string& name);
  int scale(int x, const std::string& name);
  int pad(int x, const std::vector<Margin>& margin);
  int crop(int x, const std::vector<Margin>& margin);
  /// `like`: a slot on the grid that a transposed convolution makes, where there are several; with `added`
  /// that is its grid.
  int convolve(int x, std::size_t outputs, const ConvolutionOptions& options, FieldActivation activation,
               const std::string& name, bool bias = true, int added = -1, int like = -1);
  /// points: 0, or those of x, each with weights of its own, which bind the network to that grid.
  int normalise(int x, std::size_t groups, FieldActivation activation, const std::string& name,
                std::size_t points = 0);
  /// The second input: points of so many coordinates. What is made of them alone need not depend on the
  /// sample.
  int query(std::size_t coordinates);
  /// Of a field on a grid of so many points.
  int flatten(int x, std::size_t points);
  /// Of a flattened field and of one on the points that are asked for, both of outputs · K channels.
  int basis(int branch, int trunk, std::size_t outputs, const std::string& name);

  int axes() const { return axes_; }
  std::size_t inputs() const { return channels_[0]; }
  /// Of the last slot, which is the network's output.
  std::size_t outputs() const { return channels_.back(); }
  std::size_t channels(int slot) const { return channels_[std::size_t(slot)]; }
  int slots() const { return int(channels_.size()); }
  std::size_t parameters() const { return parameters_; }
  const std::vector<FieldInstruction>& instructions() const { return instructions_; }

  /// An array of the parameters, as files have it.
  struct Array {
    std::string name;  // "blocks.0.spectral.weight"
    std::vector<std::size_t> shape;
    std::size_t offset;
    double low, high;  // uniform start
  };
  const std::vector<Array>& arrays() const { return arrays_; }
  /// Each array uniform between its bounds: W and b between ±1/√C, of a convolution ±1/√(C w^d), of a
  /// normalisation w = 1 and b = 0, R between 0 and 1/(C O), w = 1, c = 0.
  std::vector<double> initial_parameters(std::uint64_t seed) const;

 private:
  FieldInstruction& append(FieldInstruction::Kind kind, int in, std::size_t outputs);
  int axes_;
  std::vector<std::size_t> channels_;  // by slot
  std::vector<FieldInstruction> instructions_;
  std::vector<Array> arrays_;
  std::size_t parameters_ = 0;
};

struct FnoOptions {
  std::size_t inputs = 1, outputs = 1;
  std::size_t width = 32;
  std::vector<ModeRange> modes;  // by axis; lowest_modes makes those of the papers
  int layers = 4;
  std::size_t lifting = 0;       // hidden channels of the lifting; 0: it is one linear layer
  std::size_t projection = 128;  // hidden channels of the projection
  std::vector<std::pair<double, double>> coordinates;  // that are joined to the inputs; empty: none
  bool end_point = true;                               // the last point of the grid has the second coordinate
  std::vector<Margin> padding;                         // empty: none
  /// Hidden channels of an MLP after each spectral layer, with a soft gate beside it, as neuraloperator's
  /// networks have; 0: none, as in the paper.
  std::size_t channel_mlp = 0;
  bool skip_bias = true;  // of the linear layer beside each spectral one
};
/// Fourier neural operator: a lifting, `layers` times v ← σ(K v + W v + b), σ = GELU but in the last one, a
/// projection with one hidden layer.
/// Source: Li, Kovachki et al. 2021, "Fourier neural operator for parametric partial differential equations".
FieldNetwork fno(const FnoOptions& options);

/// A multigrid cycle of convolutions with channels, linear: A u = f where all of it is learned.
struct MultigridOptions {
  std::size_t channels = 24;
  /// Smoothing steps before and after the coarse grids, from the finest level on; of the coarsest the sum.
  std::vector<std::pair<int, int>> smoothing{{1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {2, 0}};
  int visits = 1;  // of the next coarser level: 1 a V cycle, 2 a W cycle
  Boundary boundary = Boundary::zero;
  std::size_t restriction_padding = 1;  // 0: as grids of 2^k − 1 inner points need
  std::size_t prolongation_width = 4;
  bool smoother_bias = false;
  bool restrict_residual = false;  // f − A u goes to the coarser grid in place of f
  /// u + P u_c is normalised over a sample's points and channels, on each level but the coarsest: with so
  /// many points that have weights of their own, 0: with weights by channel. Empty: it is not.
  std::vector<std::size_t> norm;
};
/// Appends a cycle for the right side `f` and returns the slot of u:
///   u ← S f, then u ← u + S (f + A u)           smoothing, every step with A and S of its own
///   u_c = R u, f_c = Q f or Q (f + A u)         to the coarser grid, 3 × 3 with stride 2
///   u ← σ(u + P u_c)                            back, transposed with stride 2; σ in the last step alone
/// f keeps its channels on all levels; u has options.channels. Restricting the residual starts the coarser
/// grid from u_c = S f_c, as a solver does. Source: He, Liu, Xu 2024, "MgNO: efficient parameterization of
/// linear operators via multigrid", with the sign of A turned.
int multigrid(FieldNetwork& network, int f, const MultigridOptions& options, FieldActivation activation,
              const std::string& name);

struct MgnoOptions {
  int axes = 2;
  std::size_t inputs = 1, outputs = 1;
  int layers = 4;
  MultigridOptions cycle;
  bool skip = true;                                    // σ(cycle(u) + u W + b); else σ(cycle(u))
  bool residual = false;                               // the input is added to the output
  std::vector<std::pair<double, double>> coordinates;  // that are joined to the inputs; empty: none
  bool end_point = true;
};
/// Multigrid neural operator: `layers` of u ← σ(cycle(u) + u W + b), σ = GELU, and a mix of channels without
/// bias. Source: as multigrid(). Its network for rough Darcy coefficients has 572,661 parameters, as this one
/// by default.
FieldNetwork mgno(const MgnoOptions& options);

struct DeepOnetOptions {
  int axes = 1;                                            // of the input's grid
  std::size_t inputs = 1, sensors = 100;                   // its channels and points
  std::size_t coordinates = 1, outputs = 1;                // of the points that are asked for; channels there
  std::vector<std::size_t> branch{40, 40}, trunk{40, 40};  // hidden channels, layer by layer
  std::size_t basis = 40;                                  // functions K of each output
  FieldActivation activation = FieldActivation::tanh;
};
/// DeepONet: u(y) = Σ_k b_k(a) t_k(y) + c of a branch network of the input's values at the sensors and a
/// trunk network of the point, K of both for each output; the trunk's last layer is activated, the branch's
/// is not. Source: Lu, Jin, Pang, Zhang, Karniadakis 2021, "Learning nonlinear operators via DeepONet".
FieldNetwork deeponet(const DeepOnetOptions& options);

/// The points that a network with a query is asked at: their grid (one axis where they lie anywhere), and
/// whether they are the same for all samples.
struct QueryPoints {
  std::vector<std::size_t> grid;
  bool shared = true;
};

namespace detail {
template <class T, class E>
struct FieldPlan;
}

/// A network of fields on one grid, made ready once. Calls take no memory and on a device do not wait.
template <class T, class E = Cpu>
class PlannedFieldNetwork {
 public:
  enum class Use { training, inference };  // inference keeps no field longer than it is read
  /// For at most `batch` samples at once. A network with a query needs to know of its points. With
  /// input_adjoint backward() makes that of x too.
  PlannedFieldNetwork(const E&, const FieldNetwork&, const std::vector<std::size_t>& grid, std::size_t batch,
                      Use use = Use::training, const QueryPoints& query = {}, bool input_adjoint = false);
  PlannedFieldNetwork(PlannedFieldNetwork&&) noexcept;
  PlannedFieldNetwork& operator=(PlannedFieldNetwork&&) noexcept;
  ~PlannedFieldNetwork();

  /// The output, [B, N', O], which stays until the next call.       parameters : [P], x : [B, N, C]
  View<const T, 3> forward(View<const T, 1> parameters, View<const T, 3> x);
  /// Of a network with a query; points : [B, P, D], or [1, P, D] where they are shared.
  View<const T, 3> forward(View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> points);
  /// gradient = Σ ȳ ∂y/∂θ of the last forward call, whose x, points and parameters must not have changed.
  /// y_bar : [B, N', O], gradient : [P]. ArgumentError of a plan for inference.
  void backward(View<const T, 1> parameters, View<const T, 3> y_bar, View<T, 1> gradient);
  /// x̄ = Σ ȳ ∂y/∂x of the last backward call, [B, N, C], until the next call. ArgumentError of a plan
  /// without.
  View<const T, 3> input_adjoint() const;
  /// Of the output.
  const std::vector<std::size_t>& output_grid() const;
  std::size_t scratch_bytes() const;

 private:
  std::unique_ptr<detail::FieldPlan<T, E>> plan_;
};

}  // namespace sobolev
