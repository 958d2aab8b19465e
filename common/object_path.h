// Where a path given by a user leads: to a file, or to an object of a store that speaks S3.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// s3://bucket/key, in the store that the environment names, or s3+http://host:port/bucket/key,
// s3+https://....
struct ObjectPath {
  std::string endpoint{};  // http(s)://host[:port]; empty: the environment's
  std::string bucket{};
  std::string key{};  // no slash at either end and no doubled ones; empty: the whole bucket

  std::string text() const;
};

bool is_object_path(std::string_view path);
// kInvalid says what is wrong with it.
Result<ObjectPath> parse_object_path(std::string_view path);

// "encrypted:PATH": what lies at PATH, a folder or an object path, is encrypted.
bool is_encrypted_path(std::string_view path);
// Where the bytes lie: without "encrypted:".
std::string_view stored_path(std::string_view path);
// How the bytes of an encrypted file begin.
inline constexpr std::string_view kEncryptedMagic = "CAPCRYP1";

// kInvalid for an object path that is none, and for every other scheme.
Status check_storage_path(std::string_view path);

}  // namespace capstan
