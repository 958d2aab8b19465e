// NpzWriter: NumPy's .npz, an uncompressed zip of .npy arrays.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

// Arrays are little-endian, C order. Names within a file are unique. Zip64 from the first entry on, so any
// size works. Source: NumPy's NEP 1 (format 1.0); PKWARE APPNOTE 6.3.
class NpzWriter {
 public:
  static Result<NpzWriter> create(Storage& storage, const std::string& path);
  // Without a disk: finish() is followed by take().
  static NpzWriter in_memory();

  Status add(const std::string& name, std::span<const std::uint64_t> values);  // [n]
  Status add(const std::string& name, std::span<const float> values);          // [n]
  Status add(const std::string& name, std::span<const float> values,
             std::size_t columns);  // [n / columns, columns]
  // [n] of bytes, each as wide as the longest.
  Status add(const std::string& name, const std::vector<std::string>& texts);
  Status finish();
  Buffer take();

 private:
  struct Entry {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t size = 0, offset = 0;
  };

  Status add_array(const std::string& name, const std::string& type, const std::string& shape,
                   std::span<const std::byte> bytes);
  Status write(std::span<const std::byte> bytes);

  std::unique_ptr<WritableFile> file_;  // none: in memory
  std::vector<std::byte> bytes_;
  std::uint64_t offset_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace capstan
