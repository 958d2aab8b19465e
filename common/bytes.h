// ByteWriter and ByteReader: little-endian bytes for results that travel as one opaque run (not for node
// messages).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

static_assert(std::endian::native == std::endian::little, "values are copied in the machine's order");

template <typename T>
concept PlainNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

class ByteWriter {
 public:
  template <PlainNumber T>
  void put(T value) {
    append(&value, sizeof(T));
  }
  void put_string(std::string_view text);  // u64 length, bytes
  template <PlainNumber T>
  void put_vector(const std::vector<T>& values) {  // u64 count, values
    put(static_cast<std::uint64_t>(values.size()));
    append(values.data(), values.size() * sizeof(T));
  }
  void put_bytes(std::span<const std::byte> bytes);  // u64 count, bytes
  // Room for so many bytes more, all zero. Valid until the next call.
  std::span<std::byte> extend(std::size_t size);
  void reserve(std::size_t size) { bytes_.reserve(size); }
  // Leaves the writer empty.
  Buffer take();

 private:
  void append(const void* data, std::size_t size);

  std::vector<std::byte> bytes_;
};

// Failure sticks: after the first value that does not fit, every read gives 0 or nothing, and finish() says
// so. A count is checked against the bytes that are left before anything is allocated.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <PlainNumber T>
  T get() {
    T value{};
    if (const auto bytes = take(sizeof(T)); !bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  std::string get_string();
  template <PlainNumber T>
  std::vector<T> get_vector() {
    const auto count = get<std::uint64_t>();
    if (count > rest_.size() / sizeof(T)) failed_ = true;
    if (failed_ || count == 0) return {};
    std::vector<T> values(count);
    const auto bytes = take(count * sizeof(T));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::span<const std::byte> get_bytes() { return take(get<std::uint64_t>()); }  // where they lie
  bool failed() const { return failed_; }
  // kCorrupt when a read failed or bytes are left over.
  Status finish() const;

 private:
  std::span<const std::byte> take(std::size_t size);

  std::span<const std::byte> rest_;
  bool failed_ = false;
};

}  // namespace capstan
