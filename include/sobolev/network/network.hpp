// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/jet/activation.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev {

/// One of a network's steps. A slot holds the jets of a layer's features; slot 0 the inputs', and each
/// instruction but `output` fills the next one.
struct Instruction {
  enum class Kind {
    dense,   // σ(Wx + b)                      in: x;       parameters: W as [in, out], b [out]
    gate,    // z ⊙ a + (1 − z) ⊙ b            in: z, a, b; products of jets
    blend,   // α z + (1 − α) x                in: z, x;    parameter: α
    output,  // Wx + b, outputs of the network in: x;       parameters: W as [out, in], b [out]
             // without W, b alone, where fan_in is 0: constants
    gaussian,  // exp(−½ Σ_k (w_k/σ_k)²), w = x − μ  in: the inputs; parameters: μ and log σ, [in, out] each;
               // full: w_k = x_k − μ_k + Σ_{j<k} a_kj (x_j − μ_j), and a as [in (in − 1)/2, out] after them,
               // a_kj in row k (k − 1)/2 + j
  };
  Kind kind;
  std::array<int, 3> in;  // slots, −1 beyond the instruction's
  int out;                // a slot; output: the first of the network's outputs
  int fan_in, fan_out;    // features of in[0] and of what comes out
  Activation activation;  // dense
  std::size_t weight;     // where W, α or μ begins in the parameters
  std::size_t bias;       // b or log σ
  /// Of a factorised network: where s : [out] begins; W is diag(eˢ) V, and V what `weight` names.
  std::optional<std::size_t> factor;
  bool full = false;  // Gaussians of full covariance
  /// Of these how many a there are for each, else 0.
  int shears() const { return full ? fan_in * (fan_in - 1) / 2 : 0; }
};

/// An array of a network's parameters, as files have it.
struct ParameterArray {
  std::string name;                // "layers.0.weight"
  std::vector<std::size_t> shape;  // of a weight [out, in]
  std::size_t offset;              // in the flat parameters
  bool transposed;                 // there it lies as [in, out]
};

/// A network as a list of instructions over slots. All its parameters θ are one flat array [P], in the order
/// of the instructions, each weight before its bias.
class Network {
 public:
  static constexpr int most_instructions = 128;

  /// ArgumentError unless 1 ≤ inputs ≤ 1024.
  explicit Network(int inputs = 1);

  // Each appends an instruction and returns the slot that it fills; ArgumentError for slots that there are
  // not, features that do not match, and more than 4096 of them.
  int dense(int x, int features, Activation activation = Activation::tanh);
  int gate(int z, int a, int b);
  /// `alpha` is what α starts with.
  int blend(int z, int x, double alpha = 0);
  /// Gaussians of the inputs, x = 0; below e^−60 in float32 and e^−600 in float64 they and their derivatives
  /// are 0. `full`: of any covariance Σ, Σ⁻¹ = LᵀL with L = diag(1/σ) (I + a), which is its Cholesky factor
  /// up to the order of the inputs, of at most 8 inputs. Source: Kang, Oh, Hong & Park 2025, "PIG:
  /// Physics-informed Gaussians".
  int gaussian(int x, int count, bool full = false);
  /// The next `count` of the network's outputs, of at most 1024.
  void output(int x, int count);
  /// The next outputs are parameters themselves, the same at all points; `start` is what they start with.
  void constants(const std::vector<double>& start);

  /// The same network with W = diag(eˢ) V for each weight (random weight factorisation), s after each bias.
  /// Source: Wang, Wang, Seidman & Perdikaris 2022, "Random weight factorization improves the training of
  /// continuous neural representations".
  Network factorized() const;

  int inputs() const { return slots_[0]; }
  int outputs() const { return outputs_; }
  /// P.
  std::size_t parameters() const { return parameters_; }
  int slots() const { return int(slots_.size()); }
  int features(int slot) const { return slots_[std::size_t(slot)]; }
  /// The largest number of features of a slot but the inputs.
  int width() const;
  const std::vector<Instruction>& instructions() const { return instructions_; }
  /// What a parameter starts with that the network itself says: α of a blend, constants; else 0.
  double start(std::size_t parameter) const;
  /// By instruction: "layers.k", k counting dense and output instructions, "blends.k", "gaussians.k" or
  /// "constants"; "" for gates.
  std::vector<std::string> names() const;
  /// layers.k.weight, layers.k.bias, layers.k.factor, blends.k.alpha, gaussians.k.centre,
  /// gaussians.k.log_width, gaussians.k.shear, constants.value.
  std::vector<ParameterArray> arrays() const;
  /// Multiplications of one forward pass by a point's value: Σ fan_in · fan_out, twice that of Gaussians
  /// and one more for each a.
  double products() const;
  /// ArgumentError where there is no output, or a slot that nothing reads.
  void validate() const;

 private:
  const Instruction& append(Instruction instruction, int features, std::size_t parameters);
  int checked(int slot) const;
  std::vector<int> slots_;
  std::vector<Instruction> instructions_;
  std::vector<std::pair<std::size_t, double>> starts_;  // by offset
  std::size_t parameters_ = 0;
  int outputs_ = 0;
  bool factorized_ = false;
};

// The hidden layers of the networks below on the slot `inputs` of a network; the last slot. What several
// networks of one problem are made of: each its layers and then its output.
int mlp_layers(Network&, int inputs, int depth, int width, Activation activation);
int modified_mlp_layers(Network&, int inputs, int depth, int width, Activation activation);
int pirate_layers(Network&, int inputs, int blocks, int width, Activation activation);

/// `depth` hidden layers of `width` neurons, then a linear one. ArgumentError unless 1 ≤ depth ≤ 32.
Network mlp(int inputs, int outputs, int depth, int width, Activation activation = Activation::tanh);

/// The same with each hidden layer's z between two encoders of the inputs: z ⊙ U + (1 − z) ⊙ V with
/// U = σ(W_u x + b_u), V = σ(W_v x + b_v).
/// Source: Wang, Teng & Perdikaris 2021, "Understanding and mitigating gradient flow pathologies".
Network modified_mlp(int inputs, int outputs, int depth, int width, Activation activation = Activation::tanh);

/// `blocks` residual blocks of three layers, x ← α h + (1 − α) x with h = σ(W₃ z₂ + b₃), z₂ = g ⊙ U + (1 − g)
/// ⊙ V, g = σ(W₂ z₁ + b₂), z₁ = f ⊙ U + (1 − f) ⊙ V, f = σ(W₁ x + b₁), U and V as in a modified MLP, and α =
/// 0 at the start. x begins as σ(W₀ x + b₀), or as the inputs themselves where they are `width` and more (an
/// embedding). Source: Wang, Li, Chen & Perdikaris 2024, "PirateNets".
Network pirate(int inputs, int outputs, int blocks, int width, Activation activation = Activation::tanh);

namespace detail {
template <class T, class E>
struct PlannedNetworkOn;
}

/// A network with its jets, made ready once: its calls take no memory, upload nothing and wait for nothing,
/// and on a device they can be recorded in a CudaGraph.
template <class T, class E = Cpu>
class PlannedNetwork {
 public:
  /// Memory for calls of `points` points at once on a device; more are possible, in turns. 0: as many as it
  /// works on at a time.
  PlannedNetwork(const E&, const Network&, const JetSpec&, std::size_t points = 0);
  PlannedNetwork(PlannedNetwork&&) noexcept;
  PlannedNetwork& operator=(PlannedNetwork&&) noexcept;
  ~PlannedNetwork();

  /// y = the jets of the network's outputs.   x : [K, inputs, N], parameters : [P], y : [K, outputs, N]
  /// Channel 0 holds values, channel k Taylor coefficients (JetSpec).
  /// Error: instructions · width · 8 eps relative to the sums' absolute values. docs/jets.md, section 2.
  void forward(View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y);
  /// The adjoint: gradient = Σ_n Σ_k Σ_q y_bar[k, q, n] ∂y[k, q, n]/∂parameters.      gradient : [P]
  /// The forward pass is done anew tile by tile. Summed in an order that does not depend on threads.
  void backward(View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient);
  /// The memory it keeps: O(threads · tile + P) on the CPU, O(blocks · (tile + P)) on a device.
  std::size_t scratch_bytes() const;

 private:
  std::unique_ptr<detail::PlannedNetworkOn<T, E>> impl_;
};

/// PlannedNetwork::forward with a plan of its own, which is made at each call.
template <class T>
void network_forward(const Cpu&, const Network&, const JetSpec&, View<const T, 1> parameters,
                     View<const T, 3> x, View<T, 3> y);
template <class T>
void network_forward(const Cuda&, const Network&, const JetSpec&, View<const T, 1> parameters,
                     View<const T, 3> x, View<T, 3> y);

/// PlannedNetwork::backward with a plan of its own.
template <class T>
void network_backward(const Cpu&, const Network&, const JetSpec&, View<const T, 1> parameters,
                      View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient);
template <class T>
void network_backward(const Cuda&, const Network&, const JetSpec&, View<const T, 1> parameters,
                      View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient);

}  // namespace sobolev
