// SPDX-License-Identifier: Apache-2.0
#pragma once
// The samples of a training: in memory, or read when they are asked for.
#include <utility>
#include <vector>

#include "src/operators/operator_layout.hpp"

namespace sobolev::detail {

/// Samples of a file as the layout reads them.
template <class T>
class OperatorSamples {
 public:
  /// Samples first … first + count of the data of a model; FileError where some are no finite numbers. The
  /// data, the layout and the model outlive it.
  OperatorSamples(const ArrayFile& data, const OperatorLayout& layout, const OperatorFile& model,
                  std::size_t first, std::size_t count, bool in_memory, bool inputs_only = false);

  std::size_t size() const { return count_; }
  bool in_memory() const { return in_memory_; }
  /// Whether inputs are fields on the last axes of the outputs' grid, which are repeated along the others.
  bool repeats() const { return repeats_; }
  /// Of inputs, and of outputs.
  const std::vector<std::size_t>& grid() const { return fields_[0].grid; }
  const std::vector<std::size_t>& output_grid() const { return fields_[layout_.output_part].grid; }
  std::size_t points() const { return fields_[0].points(); }
  std::size_t output_points() const { return fields_[layout_.output_part].points(); }
  /// A part of sample i, [N, channels]: where it is kept, or in the buffer. Threads need buffers of their
  /// own.
  const T* sample(std::size_t i, std::size_t part, std::vector<T>& buffer) const;
  /// Of a DeepONet: how many coordinates the points of the outputs have, else 0; whether they are the same
  /// for all samples; those of a sample, [N', coordinates], as sample().
  std::size_t coordinates() const { return asked_.channels; }
  bool points_shared() const { return asked_.samples == 1 && !asked_by_sample_; }
  const T* asked(std::size_t i, std::vector<T>& buffer) const;

 private:
  void check(const std::vector<T>& values, std::size_t part, std::size_t first) const;
  void check_points(const std::vector<T>& values, std::size_t first) const;
  FieldData<T> read_asked(std::size_t first, std::size_t count) const;

  const ArrayFile& file_;
  const OperatorLayout& layout_;
  const OperatorFile& model_;
  std::size_t first_, count_;
  bool in_memory_, repeats_ = false, asked_by_sample_ = false;
  FieldData<T> asked_;
  std::vector<FieldData<T>> fields_;  // by part; without values where they are read later
};

/// Bytes of samples in memory.
std::size_t sample_bytes(const ArrayFile& data, const OperatorLayout& layout, std::size_t stride,
                         std::size_t width);
/// What `gibibytes` of data.memory stand for, in bytes.
double memory_limit(double gibibytes);

/// /// Of inputs, outputs and a DeepONet's points: channels of one quantity have the mean and the deviation
/// of all of them. Each sample is read once; sums are made sample by sample, so that they are the same from
/// memory and from the file.
struct Normalisers {
  ChannelNormaliser inputs, outputs, points;
};
template <class T>
Normalisers normalisers(const OperatorSamples<T>& samples, const OperatorLayout& layout);

/// A window of a sample, and windows of a batch: inputs normalised, x [B, N, C], and the targets of one step
/// after another, y [steps, B, N', O].
struct Window {
  std::size_t sample, start;
};
template <class T>
struct OperatorBatch {
  std::vector<T> x, y, asked;  // asked: the points, [B or 1, N', D], of a DeepONet
  std::size_t samples = 0;
};
/// The inputs of a window, normalised, behind what is in x.
template <class T>
void append_inputs(const OperatorSamples<T>& samples, const OperatorLayout& layout,
                   const ChannelNormaliser& inputs, const Window& window, std::vector<T>& x);
template <class T>
void gather(const OperatorSamples<T>& samples, const OperatorLayout& layout, const Normalisers& normalisers,
            const std::vector<Window>& windows, std::size_t steps, bool points_shared,
            OperatorBatch<T>& batch);

}  // namespace sobolev::detail
