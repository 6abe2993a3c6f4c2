// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernel tests share.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif
#include "sobolev/core/error.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/core/products.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev::test {

/// Whether the threads of the simulated device run in another order than their own: then the tests run again,
/// and a few shapes will do.
inline bool in_another_order() { return std::getenv("SOBOLEV_SCHEDULE") != nullptr; }

/// |got − want| ≤ growth · eps · (1 + |want|), growth from the contract.
template <class T>
void expect_near(double got, double want, double growth, const std::string& what = "") {
  const double bound = growth * double(std::numeric_limits<T>::epsilon()) * (1 + std::abs(want));
  EXPECT_LE(std::abs(got - want), bound) << what << " got " << got << " want " << want;
}

/// Of a typed test: where it runs and with which numbers.
template <class E, class T, Products how = Products::ieee>
struct On {
  using Executor = E;
  using Scalar = T;
  static constexpr Products products = how;
  /// Rounding of a product in units of T's.
  static constexpr double rounding = how == Products::tf32x3   ? 8
                                     : how == Products::bf16x3 ? 256
                                     : how == Products::tf32   ? 16384
                                                               : 1;
};
#if SOBOLEV_HAS_CUDA
using ProductBackEnds = testing::Types<On<Cpu, float>, On<Cpu, double>, On<Cuda, float>, On<Cuda, double>,
                                       On<Cuda, float, Products::tf32x3>, On<Cuda, float, Products::bf16x3>,
                                       On<Cuda, float, Products::tf32>>;
using BackEnds = testing::Types<On<Cpu, float>, On<Cpu, double>, On<Cuda, float>, On<Cuda, double>>;
using DoubleBackEnds = testing::Types<On<Cpu, double>, On<Cuda, double>>;
using CudaBackEnds = testing::Types<On<Cuda, float>, On<Cuda, double>>;
#else
using DoubleBackEnds = testing::Types<On<Cpu, double>>;
using BackEnds = testing::Types<On<Cpu, float>, On<Cpu, double>>;
using ProductBackEnds = BackEnds;
#endif

struct BackEndNames {
  template <class B>
  static std::string GetName(int) {
    return std::string(std::is_same_v<typename B::Executor, Cpu> ? "Cpu" : "Cuda") +
           (std::is_same_v<typename B::Scalar, float> ? "Float" : "Double") +
           (B::products == Products::ieee ? "" : to_string(B::products));
  }
};

/// The fixture of such a test. Skipped, visibly, where the machine has no such device.
template <class B>
class OnBackEnd : public testing::Test {
 protected:
  using Executor = typename B::Executor;
  void SetUp() override {
#if SOBOLEV_HAS_CUDA
    if (std::is_same_v<Executor, Cuda> && Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
#endif
  }
};

/// Two threads of the CPU, or the first device.
template <class E>
const E& executor() {
  if constexpr (std::is_same_v<E, Cpu>) {
    static const Cpu cpu(2);
    return cpu;
  } else {
    static const E device(0);
    return device;
  }
}

/// The same with the products of a typed test.
template <class B>
const typename B::Executor& executor_of() {
  if constexpr (B::products == Products::ieee) {
    return executor<typename B::Executor>();
  } else {
    static const typename B::Executor device = executor<typename B::Executor>().with(B::products);
    return device;
  }
}

/// n normal numbers of a stream between NaN guard bands; the guards are checked on destruction. On a device,
/// B = On<Cuda, T>, view() brings them there and operator[] brings them back.
template <class B>
class Guarded {
  template <class S>
  struct Place {
    using Executor = Cpu;
    using Scalar = S;
  };
  template <class E, class S, Products how>
  struct Place<On<E, S, how>> : On<E, S, how> {};

 public:
  using E = typename Place<B>::Executor;
  using T = typename Place<B>::Scalar;
  explicit Guarded(std::size_t n, std::uint64_t stream = 0, double scale = 1)
      : n_(n), memory_(n + 2 * band, std::numeric_limits<T>::quiet_NaN()) {
    const Philox random(7, stream);
    for (std::size_t i = 0; i < n; ++i) memory_[band + i] = T(scale * random.normal(i));
#if SOBOLEV_HAS_CUDA
    if constexpr (on_device) device_.emplace(executor<Cuda>(), memory_.size());
#endif
  }
  ~Guarded() {
    fetch();
    for (std::size_t i = 0; i < band; ++i) {
      EXPECT_TRUE(std::isnan(memory_[i])) << "written before the buffer";
      EXPECT_TRUE(std::isnan(memory_[band + n_ + i])) << "written behind the buffer";
    }
  }
  Guarded(const Guarded&) = delete;
  std::size_t size() const { return n_; }
  /// On the host.
  T* data() {
    fetch();
    return memory_.data() + band;
  }
  T& operator[](std::size_t i) { return data()[i]; }
  template <class... Sizes>
  View<T, int(sizeof...(Sizes))> view(Sizes... sizes) {
    return View<T, int(sizeof...(Sizes))>(begin(), sizes...);
  }
  template <class... Sizes>
  View<const T, int(sizeof...(Sizes))> cview(Sizes... sizes) {
    return View<const T, int(sizeof...(Sizes))>(begin(), sizes...);
  }

 private:
  static constexpr std::size_t band = 67;
  static constexpr bool on_device = !std::is_same_v<E, Cpu>;
  View<T, 1> all() { return View<T, 1>(memory_.data(), memory_.size()); }

  T* begin() {
#if SOBOLEV_HAS_CUDA
    if constexpr (on_device) {
      if (!away_) upload<T, 1>(executor<Cuda>(), all(), device_->view(memory_.size()));
      away_ = true;
      return device_->data() + band;
    }
#endif
    return memory_.data() + band;
  }
  void fetch() {
#if SOBOLEV_HAS_CUDA
    if constexpr (on_device)
      if (away_) download<T, 1>(executor<Cuda>(), device_->view(memory_.size()), all());
#endif
    away_ = false;
  }

  std::size_t n_;
  std::vector<T> memory_;
  bool away_ = false;  // the device has the latest
#if SOBOLEV_HAS_CUDA
  std::optional<DeviceBuffer<T>> device_;
#endif
};

}  // namespace sobolev::test
