// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernel tests share.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev::test {

/// |got − want| ≤ growth · eps · (1 + |want|), growth from the contract.
template <class T>
void expect_near(double got, double want, double growth, const std::string& what = "") {
  const double bound = growth * double(std::numeric_limits<T>::epsilon()) * (1 + std::abs(want));
  EXPECT_LE(std::abs(got - want), bound) << what << " got " << got << " want " << want;
}

/// n normal numbers of a stream between NaN guard bands; the guards are checked on destruction.
template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t n, std::uint64_t stream = 0, double scale = 1)
      : n_(n), memory_(n + 2 * band, std::numeric_limits<T>::quiet_NaN()) {
    const Philox random(7, stream);
    for (std::size_t i = 0; i < n; ++i) memory_[band + i] = T(scale * random.normal(i));
  }
  ~Guarded() {
    for (std::size_t i = 0; i < band; ++i) {
      EXPECT_TRUE(std::isnan(memory_[i])) << "written before the buffer";
      EXPECT_TRUE(std::isnan(memory_[band + n_ + i])) << "written behind the buffer";
    }
  }
  Guarded(const Guarded&) = delete;
  T* data() { return memory_.data() + band; }
  std::size_t size() const { return n_; }
  T& operator[](std::size_t i) { return memory_[band + i]; }
  template <class... Sizes>
  View<T, int(sizeof...(Sizes))> view(Sizes... sizes) {
    return View<T, int(sizeof...(Sizes))>(data(), sizes...);
  }
  template <class... Sizes>
  View<const T, int(sizeof...(Sizes))> cview(Sizes... sizes) {
    return View<const T, int(sizeof...(Sizes))>(data(), sizes...);
  }

 private:
  static constexpr std::size_t band = 67;
  std::size_t n_;
  std::vector<T> memory_;
};

}  // namespace sobolev::test
