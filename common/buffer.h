// Buffer: a reference-counted run of bytes. Travels as one frame without being copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan {

// Copying shares the bytes. The bytes may be written only by whoever made the buffer, before it is shared.
class Buffer {
 public:
  Buffer() = default;
  // `size` bytes, not initialised, aligned to 64.
  static Buffer allocate(std::size_t size);
  static Buffer copy_of(std::span<const std::byte> bytes);
  static Buffer copy_of(std::string_view text) { return copy_of(std::as_bytes(std::span(text))); }
  template <typename T>
  static Buffer copy_of(std::span<const T> values) {
    return copy_of(std::as_bytes(values));
  }
  // Takes over `values` without a copy.
  template <typename T>
  static Buffer adopt(std::vector<T> values) {
    auto owner = std::make_shared<std::vector<T>>(std::move(values));
    auto* data = reinterpret_cast<std::byte*>(owner->data());
    const std::size_t size = owner->size() * sizeof(T);
    return Buffer(std::shared_ptr<std::byte>(std::move(owner), data), size);
  }
  Buffer(std::shared_ptr<std::byte> data, std::size_t size) : data_(std::move(data)), size_(size) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::byte* data() const { return data_.get(); }
  std::byte* mutable_data() { return data_.get(); }
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }

  // The bytes as whole values of T, in the machine's (little-endian) order.
  // REQUIRES: aligned for T; the codec sees to it for received frames.
  template <typename T>
  std::span<const T> as() const {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reinterpret_cast<const T*>(data_.get()), size_ / sizeof(T)};
  }
  template <typename T>
  std::span<T> as_mutable() {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reinterpret_cast<T*>(data_.get()), size_ / sizeof(T)};
  }
  // A part of this buffer that keeps the whole alive. REQUIRES: offset + size <= this->size().
  Buffer slice(std::size_t offset, std::size_t size) const {
    return Buffer(std::shared_ptr<std::byte>(data_, data_.get() + offset), size);
  }

 private:
  std::shared_ptr<std::byte> data_;
  std::size_t size_ = 0;
};

}  // namespace capstan
