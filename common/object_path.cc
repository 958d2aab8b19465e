#include "common/object_path.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>

#include "common/text.h"

namespace capstan {
namespace {

constexpr std::string_view kPlain = "s3://", kWithHost = "s3+", kEncrypted = "encrypted:";
constexpr std::size_t kBucketMin = 3, kBucketMax = 63, kKeyMax = 900;  // room is left for what we append

bool is_bucket_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

bool is_host_letter(char c) {
  return is_bucket_letter(c) || c == ':' || c == '[' || c == ']';
}

bool all_of(std::string_view text, bool (*holds)(char)) {
  return std::all_of(text.begin(), text.end(), holds);
}

// "http://host:9000" of "http://host:9000/bucket/key"; empty when there is none.
std::string_view endpoint_of(std::string_view url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return {};
  const std::string_view host = url.substr(scheme, url.find('/', scheme) - scheme);
  return host.empty() || !all_of(host, is_host_letter) ? std::string_view()
                                                       : url.substr(0, scheme + host.size());
}

// Why it is no bucket; empty: it is one.
std::string bucket_problem(std::string_view bucket) {
  const bool fits =
      bucket.size() >= kBucketMin && bucket.size() <= kBucketMax && all_of(bucket, is_bucket_letter);
  if (fits) return "";
  return fmt::format("names no bucket: that has {} to {} letters, digits, dots, '-' and '_'", kBucketMin,
                     kBucketMax);
}

// The key without needless slashes.
Result<std::string> clean_key(std::string_view text) {
  std::string key;
  for (const std::string_view part : split_text(text, "/")) {
    if (part.empty()) continue;
    if (part == "." || part == "..")
      return make_error(ErrorCode::kInvalid, fmt::format("has the step '{}'", part));
    if (!all_of(part, [](char c) { return static_cast<unsigned char>(c) >= 0x20; })) {
      return make_error(ErrorCode::kInvalid, "has a control character");
    }
    if (!key.empty()) key += '/';
    key += part;
  }
  if (key.size() > kKeyMax)
    return make_error(ErrorCode::kInvalid, fmt::format("is longer than {} bytes", kKeyMax));
  return key;
}

}  // namespace

std::string ObjectPath::text() const {
  return fmt::format("{}{}{}{}", endpoint.empty() ? kPlain : fmt::format("s3+{}/", endpoint), bucket,
                     key.empty() ? "" : "/", key);
}

bool is_object_path(std::string_view path) {
  return path.starts_with(kPlain) || path.starts_with("s3+http://") || path.starts_with("s3+https://");
}

Result<ObjectPath> parse_object_path(std::string_view path) {
  const auto invalid = [&](std::string_view why) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("'{}' {}; write s3://bucket/prefix, or s3+https://host:port/bucket/prefix "
                                  "for a store of your own",
                                  path, why));
  };
  ObjectPath parsed;
  std::string_view rest;
  if (path.starts_with(kPlain)) {
    rest = path.substr(kPlain.size());
  } else if (is_object_path(path)) {
    parsed.endpoint = endpoint_of(path.substr(kWithHost.size()));
    if (parsed.endpoint.empty()) return invalid("names no host");
    rest = path.substr(std::min(path.size(), kWithHost.size() + parsed.endpoint.size() + 1));
  } else {
    return invalid("is no path of an object store");
  }
  parsed.bucket = rest.substr(0, rest.find('/'));
  if (const std::string why = bucket_problem(parsed.bucket); !why.empty()) return invalid(why);
  auto key = clean_key(rest.substr(parsed.bucket.size()));
  if (!key.ok()) return invalid(key.error().message);
  parsed.key = std::move(key).value();
  return parsed;
}

bool is_encrypted_path(std::string_view path) {
  return path.starts_with(kEncrypted);
}

std::string_view stored_path(std::string_view path) {
  return is_encrypted_path(path) ? path.substr(kEncrypted.size()) : path;
}

Status check_storage_path(std::string_view path) {
  if (is_encrypted_path(path)) {
    if (!stored_path(path).empty() && !is_encrypted_path(stored_path(path)))
      return check_storage_path(stored_path(path));
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("'{}' names no place: write encrypted:FOLDER or encrypted:s3://bucket/prefix", path));
  }
  if (is_object_path(path)) {
    CAPSTAN_TRY(parse_object_path(path));
    return ok_status();
  }
  if (path.find("://") == std::string_view::npos && !path.starts_with("s3:")) return ok_status();
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("'{}' is neither a folder nor s3://bucket/prefix: no other store is known", path));
}

}  // namespace capstan
