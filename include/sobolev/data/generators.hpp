// SPDX-License-Identifier: Apache-2.0
#pragma once
// Recipes for the data that neural operators are trained on. docs/generators.md has each with its
// discretisation, measured order and the differences from the published scripts.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/data/darcy_solver.hpp"
#include "sobolev/io/array_file.hpp"
#include "sobolev/io/tensor.hpp"

namespace sobolev {

/// How a recipe names its arrays: as the files of the FNO paper or of PDEBench.
enum class DataLayout { fno, pdebench };

/// −∇·(a ∇u) = source on the unit square, u = 0 on the boundary; a is `high` where a Gaussian field is not
/// negative, else `low`; the field has covariance τ^(2α−2) (−Δ + τ²)^−α with Neumann modes, without its mean.
/// Arrays: coeff, sol [N, S, S]; pdebench: nu [N, S, S], tensor [N, 1, S, S].
/// Source: Li et al., Fourier neural operator (2021), appendix A.3.2.
struct DarcyOptions {
  enum class Coefficient { threshold, lognormal };  // lognormal: a = exp(field)
  int grid = 421;                                   // S
  GridPoints points = GridPoints::cells;
  FaceMean face_mean = FaceMean::arithmetic;
  Coefficient coefficient = Coefficient::threshold;
  double high = 12, low = 3;
  double alpha = 2, tau = 3;
  double source = 1;
  double tolerance = 1e-11;  // of the linear solver
  DataLayout layout = DataLayout::fno;
};

/// The same with the permeabilities 12 and 2 in shorter patches, τ = 5, which is the rough Darcy flow of
/// multigrid operators. Source: He, Liu, Xu, MgNO (2024), 4.1; the value 2 is that of a contrast of 6, as its
/// data are named.
struct DarcyRoughOptions : DarcyOptions {
  DarcyRoughOptions() {
    grid = 512;
    low = 2;
    tau = 5;
  }
};

/// u_t + (u²/2)_x = ν u_xx, periodic on [0, 1], u(·, 0) ~ N(0, σ² (−Δ + τ²)^−α), σ² = 625.
/// Arrays: a [N, S], u [N, S] at the end, or with `times` [N, T, S] and t [T]; pdebench: tensor [N, 1 + T,
/// S]. Source: Li et al. (2021), appendix A.3.1.
struct BurgersOptions {
  int grid = 8192;  // S
  double nu = 0.1;
  double end = 1;
  std::vector<double> times;  // ascending; empty: the end
  int steps = 0;              // or times 0, end/steps … end
  double sigma = 25, tau = 5, alpha = 2;
  bool mean = true;         // with the constant mode
  int modes = 4095;         // of the initial data
  int resolution = 0;       // points of the computation; 0: as many as the shocks need
  double tolerance = 1e-8;  // of u, relative L2: what a step half as long may still change
  DataLayout layout = DataLayout::fno;
};

/// w_t + v·∇w = ν Δw + f on the unit torus, ∇·v = 0, curl v = w, f = forcing·(sin 2π(x+y) + cos 2π(x+y)).
/// w(·, 0) ~ N(0, c (−Δ + 49)^−2.5) without mean; c = 7^(3/2) in the paper, 7³ in its script.
/// Arrays: a [N, S, S], u [N, T, S, S], t [T]; x along the first of the two axes.
/// Source: Li et al. (2021), appendix A.3.3.
struct NavierStokesOptions {
  enum class Amplitude { paper, script };
  int grid = 64;         // S
  int resolution = 256;  // of the computation, with modes below a third of it
  double nu = 1e-3;
  double end = 50;
  double interval = 1;  // between recorded times
  double forcing = 0.1;
  Amplitude amplitude = Amplitude::paper;
  double tau = 7, alpha = 2.5;
  double cfl = 0.5;  // a step moves nothing by more of a cell of the computation
};

/// u_t + β u_x = 0, periodic on [0, 1]; u(x, 0) = Σ A sin(2π n x + φ) of two waves, n from 1 to 8, A ~ U(0,
/// 1), φ ~ U(0, 2π); in one sample of ten |·| with a random sign, in one of ten within a window. Exact:
/// shifted. Arrays: tensor [N, T, S] (t = 0 is the first), x-coordinate, t-coordinate. Source: Takamoto et
/// al., PDEBench (2022), appendix D.1.
struct AdvectionOptions {
  int grid = 1024;
  double beta = 0.1;
  double end = 2;
  int steps = 200;  // intervals between recorded times
};

/// u_t = D/R(u) u_xx on (0, 1), u(0) = 1, u(1) = −D u_x(1), R = 1 + (1−φ)/φ ρ k n u^(n−1), φ = .29, ρ = 2880,
/// k = 3.5e-4, n = .874; u(·, 0) constant, U(0, 0.2). Arrays as for advection.
/// Source: PDEBench (2022), appendix D.4.
struct DiffusionSorptionOptions {
  int grid = 1024;
  double diffusion = 5e-4;
  double end = 500;
  int steps = 100;
  double tolerance = 1e-6;  // of a time step
};

/// u_t = Du Δu + u − u³ − k − v, v_t = Dv Δv + u − v on (−1, 1)², no flux; both N(0, 1) at each point at
/// first. Arrays: tensor [N, T, S, S, 2], x-, y- and t-coordinate. Source: PDEBench (2022), appendix D.5.
struct ReactionDiffusionOptions {
  int grid = 128;
  double du = 1e-3, dv = 5e-3, k = 5e-3;
  double end = 5;
  int steps = 100;
};

/// h_t + ∇·(h v) = 0, (h v)_t + ∇·(h v vᵀ + ½ h²) = 0 on [−2.5, 2.5]² with open boundaries; at first v = 0,
/// and h is `inside` within a circle around 0, else `outside`; its radius U(smallest, largest). Arrays:
/// tensor [N, T, S, S, 1] of h, x-, y- and t-coordinate. Source: PDEBench (2022), appendix D.6.
struct ShallowWaterOptions {
  int grid = 128;
  double inside = 2, outside = 1;
  double smallest_radius = 0.3, largest_radius = 0.7;
  double end = 1;
  int steps = 100;
};

/// Of u ~ N(0, exp(−(x − y)²/(2 l²))) on [0, 1] its antiderivative ∫₀^y u.
/// Arrays: u [N, M] at M sensors i/(M − 1); y, s [N, P] at P places, s at y; with `aligned` y is the sensors.
/// Source: Lu et al., DeepONet (2021), section 4.1; Lu et al., A comprehensive comparison (2022),
/// section 5.1.
struct AntiderivativeOptions {
  int grid = 100;       // M
  double length = 0.2;  // l
  bool aligned = true;
  int places = 100;  // P where not aligned
};

/// A recipe with its options: what arrays it makes, and samples of them.
class Generator {
 public:
  struct Array {
    std::string name;
    std::vector<std::size_t> shape;  // of one sample
    std::size_t values() const;
  };
  /// What one thread needs: plans, memory.
  class Worker {
   public:
    virtual ~Worker() = default;
    /// Sample `index` of `seed`, whatever else is made: one pointer per array. False when `stop` became true,
    /// and nothing of it is of use.
    virtual bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
                        const std::atomic<bool>* stop) = 0;
  };

  virtual ~Generator() = default;
  const std::string& name() const { return name_; }
  const std::vector<Array>& arrays() const { return arrays_; }
  /// Arrays that all samples share: times, coordinates.
  const NamedTensors& shared() const { return shared_; }
  /// All options by name.
  const Attributes& options() const { return options_; }
  std::size_t grid() const { return grid_; }
  /// About what a worker takes, in bytes.
  std::size_t worker_memory() const { return worker_memory_; }
  virtual std::unique_ptr<Worker> worker() const = 0;

 protected:
  std::string name_;
  std::size_t grid_ = 0, worker_memory_ = 0;
  std::vector<Array> arrays_;
  NamedTensors shared_;
  Attributes options_;
};

/// ArgumentError for options out of range, with the range.
std::unique_ptr<Generator> make_generator(const DarcyOptions& options);
std::unique_ptr<Generator> make_generator(const BurgersOptions& options);
std::unique_ptr<Generator> make_generator(const NavierStokesOptions& options);
std::unique_ptr<Generator> make_generator(const AdvectionOptions& options);
std::unique_ptr<Generator> make_generator(const DiffusionSorptionOptions& options);
std::unique_ptr<Generator> make_generator(const ReactionDiffusionOptions& options);
std::unique_ptr<Generator> make_generator(const ShallowWaterOptions& options);
std::unique_ptr<Generator> make_generator(const AntiderivativeOptions& options);

/// A recipe by its name, with options as text, "nu=1e-4". ArgumentError for a name that there is not, which
/// lists those there are, and for options likewise.
std::unique_ptr<Generator> make_generator(const std::string& name,
                                          const std::vector<std::string>& assignments = {});

struct RecipeDescription {
  struct Option {
    std::string name, value, range, text;  // value: the default
  };
  std::string name, text;
  std::vector<Option> options;
};
std::vector<RecipeDescription> recipes();

struct GenerateControl {
  std::function<void(std::size_t done)> on_sample = {};  // from the calling thread's side, one at a time
  const std::atomic<bool>* stop = nullptr;
};

/// Samples first … first + count − 1 of the seed, the same bits for any number of threads; rows[i] : [count,
/// values of array i]. False when it was stopped. What a sample throws names the sample.
bool generate(const Cpu& cpu, const Generator& generator, std::uint64_t seed, std::uint64_t first,
              std::span<const View<double, 2>> rows, const GenerateControl& control = {});

struct WriteSamplesOptions {
  std::size_t samples = 1;
  std::uint64_t seed = 0;
  bool single = false;  // float32
  GenerateControl control = {};
};
/// SHA-256, in hexadecimal, of the bytes as written: of sample 0 all arrays in their order, then of sample 1,
/// …
struct WrittenSamples {
  bool whole = false;  // else it was stopped, and there is no file
  std::string sha256;
};
/// Into a file as ArrayFileWriter writes it, with `generator`, `version`, `seed`, `samples`, `sha256` and all
/// options as attributes. OutOfMemory and FileError before the work where memory or the disk will not do.
WrittenSamples write_samples(const Cpu& cpu, const Generator& generator, const std::filesystem::path& path,
                             const WriteSamplesOptions& options);

}  // namespace sobolev
