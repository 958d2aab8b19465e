#include "common/adapters/key_ring.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "common/adapters/disk_files.h"
#include "common/adapters/secret_file.h"
#include "common/assert.h"
#include "common/plain_name.h"
#include "common/text.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;
constexpr Role kRoles[] = {Role::kScheduler, Role::kServer, Role::kWorker, Role::kTool};

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream in{std::string(line)};
  return {std::istream_iterator<std::string>(in), {}};
}

Result<CurvePair> read_pair(const fs::path& path) {
  CAPSTAN_ASSIGN(const std::string text, read_secret(path));
  CurvePair pair;
  bool has_public = false, has_secret = false;
  for (const std::string_view line : split_text(text, "\n")) {
    const auto words = words_of(line);
    const auto key = words.size() == 2 ? parse_curve_key(words[1]) : std::nullopt;
    if (key && words[0] == "public") pair.public_key = *key, has_public = true;
    if (key && words[0] == "secret") pair.secret_key = *key, has_secret = true;
  }
  if (has_public && has_secret) return pair;
  return make_error(ErrorCode::kInvalid,
                    fmt::format("{}: not a key of `capstan keys new`: it needs the lines `public HEX` and "
                                "`secret HEX`, of 64 digits each",
                                path.string()));
}

}  // namespace

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : kRoles) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

std::string to_hex(const CurveKey& key) {
  std::string hex;
  for (const std::uint8_t byte : key) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::optional<CurveKey> parse_curve_key(std::string_view hex) {
  CurveKey key{};
  if (hex.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return key;
}

CurvePair new_curve_pair() {
  constexpr std::size_t kZ85Chars = 41;
  char public_text[kZ85Chars], secret_text[kZ85Chars];
  CAPSTAN_ASSERT(zmq_curve_keypair(public_text, secret_text) == 0, "libzmq was built with Curve");
  CurvePair pair;
  zmq_z85_decode(pair.public_key.data(), public_text);
  zmq_z85_decode(pair.secret_key.data(), secret_text);
  return pair;
}

Result<std::vector<AllowedKey>> parse_allowed(std::string_view text, const std::string& file) {
  std::vector<AllowedKey> allowed;
  std::size_t number = 0;
  for (std::string_view line : split_text(text, "\n")) {
    ++number;
    line = line.substr(0, line.find('#'));
    const auto words = words_of(line);
    if (words.empty()) continue;
    const auto role = parse_role(words[0]);
    const auto key = words.size() == 3 ? parse_curve_key(words[1]) : std::nullopt;
    if (!role || !key) {
      return make_error(
          ErrorCode::kInvalid,
          fmt::format("{}:{}: a line is `ROLE KEY NAME`, with scheduler, server, worker or tool "
                      "and 64 hexadecimal digits, not '{}'",
                      file, number, line));
    }
    allowed.push_back({*role, *key, words[2]});
  }
  return allowed;
}

Result<CurveKey> add_key(const fs::path& folder, Role role, const std::string& name) {
  if (!is_plain_name(name)) return make_error(ErrorCode::kInvalid, "a key's name " + plain_name_rule(name));
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("{}: {}", folder.string(), error.message()));
  const CurvePair pair = new_curve_pair();
  const std::string secret =
      fmt::format("public {}\nsecret {}\n", to_hex(pair.public_key), to_hex(pair.secret_key));
  const Status made = write_file(folder / (name + kSecretSuffix), secret, 0600, O_EXCL);
  if (!made.ok()) return made.error();
  const std::string line = fmt::format("{} {} {}\n", to_string(role), to_hex(pair.public_key), name);
  CAPSTAN_TRY(write_file(folder / kAllowedFile, line, 0644, O_APPEND));
  return pair.public_key;
}

Status add_key_for_each_role(const fs::path& folder) {
  for (const Role role : kRoles) {
    const auto made = add_key(folder, role, std::string(to_string(role)));
    if (!made.ok()) return made.error();
  }
  return ok_status();
}

Result<KeyRing> KeyRing::open(const fs::path& folder, Role role, const std::string& name) {
  KeyRing ring;
  const std::string own_file = name + kSecretSuffix;
  auto own = read_pair(folder / own_file);
  const std::string shared = std::string(to_string(role)) + kSecretSuffix;
  if (!own.ok() && own.error().code == ErrorCode::kNotFound) own = read_pair(folder / shared);
  if (!own.ok() && own.error().code == ErrorCode::kNotFound) {
    return make_error(
        ErrorCode::kNotFound,
        fmt::format("keys: {} has {}: `capstan keys new --keys {} --role {}` makes one", folder.string(),
                    own_file == shared ? "no " + shared : fmt::format("neither {} nor {}", own_file, shared),
                    folder.string(), to_string(role)));
  }
  if (!own.ok()) return own.error().wrap("keys");
  ring.own_ = *own;
  ring.allowed_file_ = folder / kAllowedFile;
  ring.refresh();
  if (!ring.trouble_.empty()) return make_error(ErrorCode::kInvalid, "keys: " + ring.trouble_);
  return ring;
}

void KeyRing::refresh() {
  std::error_code error;
  const auto written_at = fs::last_write_time(allowed_file_, error);
  if (!error && written_at == read_at_) return;
  const auto text = DiskFiles().read(allowed_file_.string());
  auto allowed = text.ok() ? parse_allowed(text->text(), allowed_file_.string())
                           : Result<std::vector<AllowedKey>>(text.error());
  trouble_ = allowed.ok() ? "" : allowed.error().message;
  if (!allowed.ok()) return;
  allowed_ = std::move(allowed).value();
  read_at_ = written_at;
}

const AllowedKey* KeyRing::find(const CurveKey& key) {
  refresh();
  const auto found =
      std::find_if(allowed_.begin(), allowed_.end(), [&](const AllowedKey& each) { return each.key == key; });
  return found == allowed_.end() ? nullptr : &*found;
}

std::vector<CurveKey> KeyRing::keys_of(Role role) {
  refresh();
  std::vector<CurveKey> keys;
  for (const AllowedKey& each : allowed_) {
    if (each.role == role) keys.push_back(each.key);
  }
  return keys;
}

}  // namespace capstan
