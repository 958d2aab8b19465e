// FuzzTarget: one reader of bytes that come from elsewhere, as two drivers use it: test_fuzz, which damages
// its seeds in every run of the tests, and the program `fuzz` (libFuzzer, scripts/fuzz.sh), which searches.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/buffer.h"

namespace capstan {

struct FuzzTarget {
  std::string_view name;
  std::vector<Buffer> (*seeds)();  // valid input of every kind
  // Any bytes are an answer. Aborts when one breaks a promise, such as that what was read can be written.
  void (*run)(std::span<const std::byte> bytes);
};

// Messages between processes and what they carry.
std::vector<FuzzTarget> wire_targets();
// Files of the cluster: checkpoints, journal, parts of an evaluation.
std::vector<FuzzTarget> state_targets();
// What people write: job files and data.
std::vector<FuzzTarget> text_targets();
// Columns that a process of the job, perhaps of another build, has prepared.
std::vector<FuzzTarget> prepared_targets();
// What each user or example got, beside a report.
std::vector<FuzzTarget> values_targets();
// Services that others wrote: etcd, an object store.
std::vector<FuzzTarget> service_targets();

std::vector<FuzzTarget> fuzz_targets();

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace capstan
