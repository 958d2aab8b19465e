#include "common/bytes.h"

#include <fmt/format.h>

#include <utility>

namespace capstan {

void ByteWriter::append(const void* data, std::size_t size) {
  if (size == 0) return;
  const std::size_t old_size = bytes_.size();
  bytes_.resize(old_size + size);
  std::memcpy(bytes_.data() + old_size, data, size);
}

void ByteWriter::put_string(std::string_view text) {
  put(static_cast<std::uint64_t>(text.size()));
  append(text.data(), text.size());
}

void ByteWriter::put_bytes(std::span<const std::byte> bytes) {
  put(static_cast<std::uint64_t>(bytes.size()));
  append(bytes.data(), bytes.size());
}

std::span<std::byte> ByteWriter::extend(std::size_t size) {
  bytes_.resize(bytes_.size() + size);
  return std::span<std::byte>(bytes_).last(size);
}

Buffer ByteWriter::take() {
  return Buffer::adopt(std::exchange(bytes_, {}));
}

std::span<const std::byte> ByteReader::take(std::size_t size) {
  if (size > rest_.size()) failed_ = true;
  if (failed_) return {};
  const auto taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

std::string ByteReader::get_string() {
  const auto bytes = take(get<std::uint64_t>());
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status ByteReader::finish() const {
  if (failed_) return make_error(ErrorCode::kCorrupt, "bytes end before their last value");
  if (!rest_.empty()) {
    return make_error(ErrorCode::kCorrupt, fmt::format("{} bytes left after the last value", rest_.size()));
  }
  return ok_status();
}

}  // namespace capstan
