// FileKeys: the keys of encrypted files, as `capstan keys new` writes them into checkpoint.key: the first
// line is what new files are written with, the others read older ones.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/adapters/encrypted_frames.h"
#include "common/result.h"

namespace capstan {

inline constexpr const char* kFileKeysName = "checkpoint.key";

// Lines of 64 hexadecimal digits; # begins a comment. kInvalid names file and line. Never empty.
Result<std::vector<FileKey>> parse_file_keys(std::string_view text, const std::string& file);

// kNotFound; kInvalid, also when others than the owner may read it.
Result<std::vector<FileKey>> read_file_keys(const std::filesystem::path& file);

// A new key in front of those that the file has, if there is one. For its owner's eyes only.
Status add_file_key(const std::filesystem::path& file);

// The file that CAPSTAN_CHECKPOINT_KEY names, else checkpoint.key in the folder; empty: neither is given.
std::string file_keys_place(const std::string& keys_folder);

}  // namespace capstan
