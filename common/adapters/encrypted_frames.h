// The form of an encrypted file: a head, and frames of 256 KiB, each a secretstream of its own (libsodium,
// XChaCha20-Poly1305), so that any range of the file can be read without the rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

using FileKey = std::array<std::uint8_t, 32>;

// What tells which key a file was written with, and nothing about the key.
std::uint64_t id_of(const FileKey& key);

struct EncryptedHead {
  std::uint64_t key_id = 0;
  std::array<std::uint8_t, 16> file{};  // random: frames of two files cannot stand for each other
};

inline constexpr std::size_t kEncryptedHeadBytes = 32;
inline constexpr std::size_t kFrameBytes =
    std::size_t{256} * 1024;                       // of plain bytes; the last may be shorter
inline constexpr std::size_t kFrameOverhead = 41;  // a nonce of 24 bytes before, a tag of 17 in and behind

EncryptedHead new_encrypted_head(const FileKey& key);
std::array<std::byte, kEncryptedHeadBytes> to_bytes(const EncryptedHead& head);
// nullopt: the file is not an encrypted one.
std::optional<EncryptedHead> read_encrypted_head(std::span<const std::byte> bytes);
bool is_encrypted(std::span<const std::byte> bytes);

// How many plain bytes a file of that size holds; nullopt: none is so long.
std::optional<std::uint64_t> plain_size(std::uint64_t size);

// Frame number `index` of a file. `out` has room for plain.size() + kFrameOverhead.
void encrypt_frame(const FileKey& key, const EncryptedHead& head, std::uint64_t index, bool last,
                   std::span<const std::byte> plain, std::span<std::byte> out);
// Whether it is the last one; nullopt: it is not that frame of that file, or damaged. `out` has room for
// frame.size() - kFrameOverhead. REQUIRES: frame.size() is within [kFrameOverhead, that and kFrameBytes].
std::optional<bool> decrypt_frame(const FileKey& key, const EncryptedHead& head, std::uint64_t index,
                                  std::span<const std::byte> frame, std::span<std::byte> out);

// A whole file at once.
Buffer encrypt_file(const FileKey& key, std::span<const std::byte> plain);
// kCorrupt: damaged, or cut off. REQUIRES: `head` was read from it, and `key` is the one it names.
Result<Buffer> decrypt_file(const FileKey& key, const EncryptedHead& head, std::span<const std::byte> file);

}  // namespace capstan
