#include "common/buffer.h"

#include <new>

namespace capstan {

Buffer Buffer::allocate(std::size_t size) {
  constexpr std::align_val_t kAlignment{64};
  auto* data = static_cast<std::byte*>(::operator new(size == 0 ? 1 : size, kAlignment));
  return Buffer(std::shared_ptr<std::byte>(data, [](std::byte* p) { ::operator delete(p, kAlignment); }),
                size);
}

Buffer Buffer::copy_of(std::span<const std::byte> bytes) {
  Buffer buffer = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.mutable_data(), bytes.data(), bytes.size());
  return buffer;
}

}  // namespace capstan
