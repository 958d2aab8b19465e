// Reads what a test's program has written as npz.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace capstan {

template <typename T>
T number_in(const std::string& bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// The npy member `name` of an uncompressed zip; empty when it is not there.
inline std::string npy_in(const std::string& zip, const std::string& name) {
  for (std::size_t at = 0; number_in<std::uint32_t>(zip, at) == 0x04034b50;) {
    const auto name_length = number_in<std::uint16_t>(zip, at + 26);
    std::uint64_t size = number_in<std::uint32_t>(zip, at + 18);
    if (size == 0xffffffff) size = number_in<std::uint64_t>(zip, at + 30 + name_length + 4);  // zip64
    const auto extra_length = number_in<std::uint16_t>(zip, at + 28);
    const std::size_t data = at + 30 + name_length + extra_length;
    if (zip.substr(at + 30, name_length) == name) return zip.substr(data, size);
    at = data + size;
  }
  return "";
}

// What stands after the header of an npy file of version 1.
inline std::string npy_data(const std::string& npy) {
  return npy.substr(std::min<std::size_t>(npy.size(), 10U + number_in<std::uint16_t>(npy, 8)));
}

// The values of array `name`, whatever its shape.
template <typename T>
std::vector<T> array_in(const std::string& zip, const std::string& name) {
  const std::string bytes = npy_data(npy_in(zip, name + ".npy"));
  std::vector<T> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = number_in<T>(bytes, i * sizeof(T));
  return values;
}

}  // namespace capstan
