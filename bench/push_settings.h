// What the programs that measure pushes are told alike.
#pragma once

#include <cstdint>
#include <string>

#include "bench/arguments.h"
#include "common/dtype.h"

namespace capstan {

struct PushSettings {
  std::string folder;
  std::size_t rounds = 5;
  double seconds = 5;
  std::uint64_t rows = 0;
  std::uint32_t dim = 16;
  std::size_t batch = 16384;
  Dtype dtype = Dtype::kFloat32;
  bool json = false;
};

// FOLDER [rounds] [seconds] [rows] [dim] [batch] [--bfloat16] [--json]
inline PushSettings push_settings(int argc, char** argv, const char* usage, std::uint64_t rows) {
  Arguments arguments(argc, argv, usage);
  PushSettings settings;
  settings.folder = arguments.folder();
  settings.json = arguments.json();
  if (arguments.flag("--bfloat16")) settings.dtype = Dtype::kBfloat16;
  settings.rows = rows;
  arguments.take(settings.rounds);
  arguments.take(settings.seconds);
  arguments.take(settings.rows);
  arguments.take(settings.dim);
  arguments.take(settings.batch);
  return settings;
}

}  // namespace capstan
