// NpzReader: arrays out of NumPy's .npz, as NpzWriter and numpy.savez write it: an uncompressed zip of .npy.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

class NpzReader {
 public:
  // kCorrupt for bytes that are no such file: compressed, cut off, big-endian or in Fortran's order.
  static Result<NpzReader> open(Buffer bytes);

  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return arrays_.contains(name); }
  // Of any shape, flat. kNotFound without the array, kInvalid when it has another type.
  Result<std::vector<float>> floats(const std::string& name) const;
  Result<std::vector<std::string>> texts(const std::string& name) const;

 private:
  struct Array {
    std::string type;  // "<f4", "|S8"
    std::uint64_t count = 0;
    Buffer data;
  };

  static Result<Array> read_npy(const Buffer& npy);
  Result<const Array*> find(const std::string& name, const std::string& kind) const;

  std::map<std::string, Array> arrays_;
};

}  // namespace capstan
