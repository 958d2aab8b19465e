// KeyRing: a folder of CurveZMQ keys (RFC 26/CurveZMQ): this process's own pair, and the public keys that may
// take part in the cluster, each with the role that it may act in.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/message.h"
#include "common/result.h"

namespace capstan {

using CurveKey = std::array<std::uint8_t, 32>;

// 64 hexadecimal digits.
std::string to_hex(const CurveKey& key);
std::optional<CurveKey> parse_curve_key(std::string_view hex);

struct CurvePair {
  CurveKey public_key{}, secret_key{};
};
CurvePair new_curve_pair();

struct AllowedKey {
  Role role = Role::kTool;
  CurveKey key{};
  std::string name;
  bool operator==(const AllowedKey&) const = default;
};

// "scheduler", "server", "worker", "tool".
std::optional<Role> parse_role(std::string_view text);

// Lines of a role, a public key and a name; # begins a comment. kInvalid names file and line.
Result<std::vector<AllowedKey>> parse_allowed(std::string_view text, const std::string& file);

// NAME.key in `folder`, for its owner's eyes only, and its line at the end of `allowed`. kTaken: there is
// one.
Result<CurveKey> add_key(const std::filesystem::path& folder, Role role, const std::string& name);

// A key for each role, under the role's name. As add_key().
Status add_key_for_each_role(const std::filesystem::path& folder);

inline constexpr const char* kAllowedFile = "allowed";
inline constexpr const char* kSecretSuffix = ".key";

class KeyRing {
 public:
  // The pair is NAME.key's, or ROLE.key's where there is none of that name. kNotFound, kInvalid with a
  // remedy.
  static Result<KeyRing> open(const std::filesystem::path& folder, Role role, const std::string& name);

  const CurvePair& own() const { return own_; }
  // What the holder of `key` may act as; nullptr: it may not take part. The list is read again when its file
  // has changed; one that cannot be read leaves the last good one in force.
  const AllowedKey* find(const CurveKey& key);
  // Public keys of a role, in the file's order: a rotation has the old one and the new.
  std::vector<CurveKey> keys_of(Role role);
  // Why the newest list is not in force; empty: it is.
  const std::string& trouble() const { return trouble_; }

 private:
  KeyRing() = default;
  void refresh();

  std::filesystem::path allowed_file_;
  std::filesystem::file_time_type read_at_{};
  CurvePair own_;
  std::vector<AllowedKey> allowed_;
  std::string trouble_;
};

}  // namespace capstan
