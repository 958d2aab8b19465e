#include "common/adapters/file_keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>

#include "common/adapters/key_ring.h"
#include "common/adapters/secret_file.h"
#include "common/text.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

FileKey new_file_key() {
  FileKey key{};
  crypto_secretstream_xchacha20poly1305_keygen(key.data());
  return key;
}

}  // namespace

Result<std::vector<FileKey>> parse_file_keys(std::string_view text, const std::string& file) {
  std::vector<FileKey> keys;
  std::size_t number = 0;
  for (std::string_view line : split_text(text, "\n")) {
    ++number;
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto key = parse_curve_key(line);
    if (!key) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("{}:{}: a line is a key of 64 hexadecimal digits", file, number));
    }
    keys.push_back(*key);
  }
  if (!keys.empty()) return keys;
  return make_error(ErrorCode::kInvalid, file + ": there is no key in it: `capstan keys new` makes one");
}

Result<std::vector<FileKey>> read_file_keys(const fs::path& file) {
  CAPSTAN_ASSIGN(const std::string text, read_secret(file));
  return parse_file_keys(text, file.string());
}

Status add_file_key(const fs::path& file) {
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("{}: {}", file.string(), error.message()));
  auto before = read_file_keys(file);
  if (!before.ok() && before.error().code != ErrorCode::kNotFound) return before.error();
  std::vector<FileKey> keys = {new_file_key()};
  if (before.ok()) keys.insert(keys.end(), before->begin(), before->end());
  std::string text = "# Encrypts checkpoints: the first key new ones, the others are for older ones.\n";
  for (const FileKey& key : keys) text += to_hex(key) + "\n";
  const fs::path beside = file.string() + ".new";
  CAPSTAN_TRY(write_file(beside, text, 0600, O_TRUNC));
  fs::rename(beside, file, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("{}: {}", file.string(), error.message()));
  return ok_status();
}

std::string file_keys_place(const std::string& keys_folder) {
  if (const char* file = std::getenv("CAPSTAN_CHECKPOINT_KEY"); file != nullptr && *file != '\0') return file;
  return keys_folder.empty() ? "" : keys_folder + "/" + kFileKeysName;
}

}  // namespace capstan
