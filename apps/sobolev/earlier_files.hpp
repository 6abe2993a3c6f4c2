// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

namespace sobolev::app {

/// What stands in a folder before a run writes there. It stays until the first file of this run is whole on
/// the disk: a run that is refused, or ends before it has anything, takes nothing away. From then on the
/// folder holds this run only; a checkpoint never stands beside results of another state.
class EarlierFiles {
 public:
  /// own_checkpoint: the run goes on from the checkpoint in the folder.
  EarlierFiles(std::filesystem::path folder, bool own_checkpoint)
      : folder_(std::move(folder)), own_checkpoint_(own_checkpoint) {}
  /// FileError when one of the files to come cannot be written there: a device, a folder, without permission.
  void check_replaceable() const;
  /// To be called when the first checkpoint is about to take its name.
  void make_way_for_checkpoint();
  /// The same for a result; removes the checkpoint of another run, too, unless it was replaced already.
  void make_way_for_result();

 private:
  void remove(const char* name) const;
  std::filesystem::path folder_;
  bool own_checkpoint_, gone_ = false;
};

}  // namespace sobolev::app
