// SPDX-License-Identifier: Apache-2.0
// against_openblas [rounds [threads]]: syrk, Cholesky and gemm beside the OpenBLAS that this program is
// linked with, in turns, the best of so many rounds; and OpenBLAS by tiles of 384 with one thread each, the
// way in which its bits would not depend on the threads. OPENBLAS_CORETYPE names its kernels where it does
// not know the processor (0.3.21 takes those of a Prescott, with SSE3, on an Emerald Rapids).
#include <cblas.h>
#include <fmt/format.h>
#include <time.h>

#include <cstdlib>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "sobolev/core/machine_peak.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/gemm.hpp"
#include "sobolev/linalg/syrk.hpp"

extern "C" {
void spotrf_(const char* triangle, const int* n, float* a, const int* stride, int* info);
void dpotrf_(const char* triangle, const int* n, double* a, const int* stride, int* info);
}

namespace {
using namespace sobolev;

void blas_gemm(bool transpose, int m, int n, int k, const float* a, int lda, const float* b, int ldb,
               float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb,
              beta, c, ldc);
}
void blas_gemm(bool transpose, int m, int n, int k, const double* a, int lda, const double* b, int ldb,
               double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb,
              beta, c, ldc);
}
void blas_syrk(int p, int n, const float* a, int lda, float* c, int ldc) {
  cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, p, n, 1, a, lda, 1, c, ldc);
}
void blas_syrk(int p, int n, const double* a, int lda, double* c, int ldc) {
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, p, n, 1, a, lda, 1, c, ldc);
}
void blas_potrf(int p, float* a) {
  int info = 0;
  spotrf_("L", &p, a, &p, &info);
}
void blas_potrf(int p, double* a) {
  int info = 0;
  dpotrf_("L", &p, a, &p, &info);
}

template <class T>
void syrk_by_tiles(int threads, int n, int p, const T* a, T* c) {
  constexpr int side = 384;
  const int tiles = (p + side - 1) / side;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) collapse(2)
  for (int i = 0; i < tiles; ++i)
    for (int j = 0; j < tiles; ++j) {
      const int row = i * side, column = j * side;
      if (i == j)
        blas_syrk(std::min(side, p - row), n, a + row, p, c + std::size_t(row) * p + row, p);
      else if (i < j)
        blas_gemm(true, side, std::min(side, p - column), n, a + row, p, a + column, p, T(1),
                  c + std::size_t(row) * p + column, p);
    }
}

double now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/// The least seconds of several rounds, by the clock and of processors' time.
struct Contestant {
  std::function<void()> run;
  double wall = std::numeric_limits<double>::infinity(), processors = wall;
  void time() {
    const double wall_start = now(CLOCK_MONOTONIC), start = now(CLOCK_PROCESS_CPUTIME_ID);
    run();
    processors = std::min(processors, now(CLOCK_PROCESS_CPUTIME_ID) - start);
    wall = std::min(wall, now(CLOCK_MONOTONIC) - wall_start);
  }
};

struct Setting {
  int rounds, threads;
};

/// Ours, OpenBLAS's own threads and, where there is one, OpenBLAS by tiles; `before` each of them, untimed.
void compare(const Setting& s, const std::string& name, double flops, double peak,
             const std::function<void()>& before, std::vector<std::function<void()>> runs) {
  std::vector<Contestant> contestants;
  for (auto& run : runs) contestants.push_back({std::move(run)});
  for (int r = 0; r < s.rounds; ++r)
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      openblas_set_num_threads(i == 1 ? s.threads : 1);
      before();
      contestants[i].time();
    }
  const Contestant &ours = contestants[0], &blas = contestants[1];
  fmt::print("{:<26}{:9.1f}{:5.0f} %{:10.1f}{:9.2f}{:9.2f}", name, flops / ours.wall * 1e-9,
             100 * flops / ours.wall / peak, flops / blas.wall * 1e-9, blas.wall / ours.wall,
             blas.processors / ours.processors);
  if (contestants.size() > 2) fmt::print("{:10.1f}", flops / contestants[2].wall * 1e-9);
  fmt::print("\n");
  std::fflush(stdout);
}

template <class T>
void compare_all(const Setting& s, const char* scalar) {
  const Cpu cpu(s.threads);
  const double peak = machine_peak<T>(cpu, 1);
  fmt::print("\n{}: peak {:.1f} GFLOP/s\n", scalar, peak * 1e-9);
  fmt::print("{:<26}{:>9}{:>7}{:>10}{:>9}{:>9}{:>10}\n", "GFLOP/s", "ours", "peak", "OpenBLAS", "ratio",
             "(CPU s)", "by tiles");
  for (std::size_t p : {700, 1981, 4000}) {
    const std::size_t n = p < 1000 ? 4000 : p < 3000 ? 3000 : 1536;
    std::vector<T> a(std::max(n, p) * p), c(p * p), u(p * p);
    unsigned long state = 12345;
    for (T& x : a) {
      state = state * 6364136223846793005ul + 1442695040888963407ul;
      x = T(double(state >> 11) * 0x1p-52 - 1);
    }
    const View<const T, 2> rows(a.data(), n, p), square(a.data(), p, p);
    const View<T, 2> out(c.data(), p, p);
    const double dp = double(p);
    compare(s, fmt::format("syrk {} x {}", n, p), double(n) * dp * (dp + 1), peak, [] {},
            {[&] { syrk<T>(cpu, rows, out); },
             [&] { blas_syrk(int(p), int(n), a.data(), int(p), c.data(), int(p)); },
             [&] { syrk_by_tiles<T>(s.threads, int(n), int(p), a.data(), c.data()); }});
    const auto definite = [&] {
      std::copy(a.begin(), a.begin() + std::ptrdiff_t(p * p), u.begin());
      for (std::size_t i = 0; i < p; ++i) u[i * p + i] = T(4 * dp);
    };
    compare(s, fmt::format("Cholesky {}", p), dp * dp * dp / 3, peak, definite,
            {[&] { cholesky<T>(cpu, View<T, 2>(u.data(), p, p)); }, [&] { blas_potrf(int(p), u.data()); }});
    if (p > 3000) continue;
    compare(s, fmt::format("gemm {0} x {0} x {0}", p), 2 * dp * dp * dp, peak, [] {},
            {[&] { gemm<T>(cpu, T(1), square, square, T(0), out); },
             [&] {
               blas_gemm(false, int(p), int(p), int(p), a.data(), int(p), a.data(), int(p), T(0), c.data(),
                         int(p));
             }});
  }
}
}  // namespace

int main(int count, char** arguments) {
  const Setting setting{count > 1 ? std::atoi(arguments[1]) : 10,
                        Cpu(count > 2 ? std::atoi(arguments[2]) : 0).threads()};
  fmt::print("OpenBLAS: {}, kernels {}; ours: {}; {} threads\n", openblas_get_config(),
             openblas_get_corename(), Cpu::instruction_set(), setting.threads);
  compare_all<double>(setting, "float64");
  compare_all<float>(setting, "float32");
}
