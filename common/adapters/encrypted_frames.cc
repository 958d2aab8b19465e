#include "common/adapters/encrypted_frames.h"

#include <sodium.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "common/assert.h"
#include "common/object_path.h"

namespace capstan {
namespace {

constexpr std::string_view kMagic = kEncryptedMagic;
constexpr std::size_t kHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
static_assert(kHeader + crypto_secretstream_xchacha20poly1305_ABYTES == kFrameOverhead);
static_assert(kMagic.size() + sizeof(std::uint64_t) + sizeof(EncryptedHead::file) == kEncryptedHeadBytes);

const unsigned char* chars(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

unsigned char* chars(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// What a frame is bound to, beside its bytes.
std::array<unsigned char, 24> place_of(const EncryptedHead& head, std::uint64_t index) {
  std::array<unsigned char, 24> place{};
  std::memcpy(place.data(), head.file.data(), head.file.size());
  std::memcpy(place.data() + head.file.size(), &index, sizeof(index));
  return place;
}

void prepare() {
  static const bool ready = sodium_init() >= 0;
  CAPSTAN_ASSERT(ready, "libsodium starts");
}

}  // namespace

std::uint64_t id_of(const FileKey& key) {
  constexpr std::string_view kWhat = "capstan key id";
  std::array<unsigned char, crypto_generichash_BYTES> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(kWhat.data()),
                     kWhat.size(), key.data(), key.size());
  std::uint64_t id = 0;
  std::memcpy(&id, hash.data(), sizeof(id));
  return id;
}

EncryptedHead new_encrypted_head(const FileKey& key) {
  prepare();
  EncryptedHead head;
  head.key_id = id_of(key);
  randombytes_buf(head.file.data(), head.file.size());
  return head;
}

std::array<std::byte, kEncryptedHeadBytes> to_bytes(const EncryptedHead& head) {
  std::array<std::byte, kEncryptedHeadBytes> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  std::memcpy(bytes.data() + kMagic.size(), &head.key_id, sizeof(head.key_id));
  std::memcpy(bytes.data() + kMagic.size() + sizeof(head.key_id), head.file.data(), head.file.size());
  return bytes;
}

bool is_encrypted(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::optional<EncryptedHead> read_encrypted_head(std::span<const std::byte> bytes) {
  if (bytes.size() < kEncryptedHeadBytes || !is_encrypted(bytes)) return std::nullopt;
  EncryptedHead head;
  std::memcpy(&head.key_id, bytes.data() + kMagic.size(), sizeof(head.key_id));
  std::memcpy(head.file.data(), bytes.data() + kMagic.size() + sizeof(head.key_id), head.file.size());
  return head;
}

std::optional<std::uint64_t> plain_size(std::uint64_t size) {
  constexpr std::uint64_t kWhole = kFrameBytes + kFrameOverhead;
  if (size < kEncryptedHeadBytes + kFrameOverhead) return std::nullopt;
  const std::uint64_t frames = size - kEncryptedHeadBytes, rest = frames % kWhole;
  if (rest == 0) return frames / kWhole * kFrameBytes;
  if (rest < kFrameOverhead) return std::nullopt;
  return frames / kWhole * kFrameBytes + rest - kFrameOverhead;
}

void encrypt_frame(const FileKey& key, const EncryptedHead& head, std::uint64_t index, bool last,
                   std::span<const std::byte> plain, std::span<std::byte> out) {
  prepare();
  crypto_secretstream_xchacha20poly1305_state state;
  crypto_secretstream_xchacha20poly1305_init_push(&state, chars(out.data()), key.data());
  const auto place = place_of(head, index);
  const unsigned char tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                 : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  crypto_secretstream_xchacha20poly1305_push(&state, chars(out.data()) + kHeader, nullptr,
                                             chars(plain.data()), plain.size(), place.data(), place.size(),
                                             tag);
}

std::optional<bool> decrypt_frame(const FileKey& key, const EncryptedHead& head, std::uint64_t index,
                                  std::span<const std::byte> frame, std::span<std::byte> out) {
  prepare();
  crypto_secretstream_xchacha20poly1305_state state;
  if (crypto_secretstream_xchacha20poly1305_init_pull(&state, chars(frame.data()), key.data()) != 0)
    return std::nullopt;
  const auto place = place_of(head, index);
  unsigned char tag = 0;
  const int wrong = crypto_secretstream_xchacha20poly1305_pull(
      &state, chars(out.data()), nullptr, &tag, chars(frame.data()) + kHeader, frame.size() - kHeader,
      place.data(), place.size());
  if (wrong != 0) return std::nullopt;
  return tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
}

Buffer encrypt_file(const FileKey& key, std::span<const std::byte> plain) {
  const EncryptedHead head = new_encrypted_head(key);
  const std::size_t frames = std::max<std::size_t>(1, (plain.size() + kFrameBytes - 1) / kFrameBytes);
  Buffer file = Buffer::allocate(kEncryptedHeadBytes + plain.size() + frames * kFrameOverhead);
  const auto bytes = to_bytes(head);
  std::copy(bytes.begin(), bytes.end(), file.mutable_data());
  std::byte* out = file.mutable_data() + kEncryptedHeadBytes;
  for (std::size_t i = 0; i < frames; ++i) {
    const auto part =
        plain.subspan(i * kFrameBytes, std::min<std::size_t>(kFrameBytes, plain.size() - i * kFrameBytes));
    encrypt_frame(key, head, i, i + 1 == frames, part, {out, part.size() + kFrameOverhead});
    out += part.size() + kFrameOverhead;
  }
  return file;
}

Result<Buffer> decrypt_file(const FileKey& key, const EncryptedHead& head, std::span<const std::byte> file) {
  const auto size = plain_size(file.size());
  if (!size) return make_error(ErrorCode::kCorrupt, "an encrypted file that is cut off");
  Buffer plain = Buffer::allocate(*size);
  std::span<const std::byte> left = file.subspan(kEncryptedHeadBytes);
  std::uint64_t index = 0, done = 0;
  for (bool last = false; !last; ++index) {
    if (left.size() < kFrameOverhead)
      return make_error(ErrorCode::kCorrupt, "an encrypted file that is cut off");
    const auto frame = left.first(std::min<std::size_t>(left.size(), kFrameBytes + kFrameOverhead));
    const std::size_t length = frame.size() - kFrameOverhead;
    const auto opened = decrypt_frame(key, head, index, frame, {plain.mutable_data() + done, length});
    if (!opened) {
      return make_error(ErrorCode::kCorrupt,
                        fmt::format("damaged in bytes {} to {} of what it holds", done, done + length));
    }
    last = *opened;
    done += length;
    left = left.subspan(frame.size());
  }
  if (!left.empty()) return make_error(ErrorCode::kCorrupt, "an encrypted file with bytes behind its end");
  return plain;
}

}  // namespace capstan
