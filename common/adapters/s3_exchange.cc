#include "common/adapters/s3_exchange.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "common/assert.h"
#include "common/text.h"

namespace capstan {
namespace {

constexpr std::size_t kBodyMax = 16U << 20;  // of answers that we read as text

std::string sha256_hex(std::span<const std::byte> bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  CAPSTAN_ASSERT(done == 1, "OpenSSL knows SHA-256");
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

// As SigV4 wants it: everything but unreserved letters, and the slashes of a key.
std::string percent_encoded(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::strchr("-._~", c) != nullptr || (keep_slashes && c == '/');
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

// libcurl 7.88 signs the query as it stands, so it is written in canonical form: sorted, encoded, each name
// with its '='.
std::string url_of(const std::string& endpoint, const S3Request& request) {
  std::string url = fmt::format("{}/{}", endpoint, percent_encoded(request.bucket, false));
  if (!request.key.empty()) url += fmt::format("/{}", percent_encoded(request.key, true));
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += fmt::format("{}{}={}", separator, percent_encoded(name, false), percent_encoded(value, false));
    separator = '&';
  }
  return url;
}

// What libcurl's callbacks work on.
struct Receipt {
  const S3Sink& sink;
  S3Response response;
  bool broken_off = false;
  bool head_whole = false;  // an answer that is cut in its head looks to libcurl like a short one

  bool take(std::string_view bytes) {
    if (sink && response.good()) {
      broken_off = !sink(response, std::as_bytes(std::span(bytes)));
    } else {
      broken_off = response.body.size() + bytes.size() > kBodyMax;
      if (!broken_off) response.body += bytes;
    }
    return !broken_off;
  }
  void take_header(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // the last of several counts, as after 100 Continue
      const auto words = split_text(line, " ");
      response.status = words.size() > 1 ? static_cast<long>(parse_int(words[1]).value_or(0)) : 0;
      response.headers.clear();
      return;
    }
    head_whole = line.empty();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response.headers[name] = trim(line.substr(colon + 1));
  }
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* receipt) {
  return static_cast<Receipt*>(receipt)->take({data, size * count}) ? size * count : 0;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* receipt) {
  static_cast<Receipt*>(receipt)->take_header({data, size * count});
  return size * count;
}

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void add(const std::string& name, const std::string& value) {
    list_ = curl_slist_append(list_, fmt::format("{}: {}", name, value).c_str());
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

bool distrusts(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_CERTPROBLEM;
}

}  // namespace

class S3Exchange::Handle {
 public:
  Handle() : curl_(curl_easy_init()) { CAPSTAN_ASSERT(curl_ != nullptr, "libcurl gives a handle"); }
  ~Handle() { curl_easy_cleanup(curl_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  template <typename T>
  void set(CURLoption option, T value) {
    const CURLcode done = curl_easy_setopt(curl_, option, value);
    CAPSTAN_ASSERT(done == CURLE_OK, "libcurl knows the option");
  }
  void set(CURLoption option, const std::string& value) { set(option, value.c_str()); }
  void reset() { curl_easy_reset(curl_); }  // connections stay
  CURLcode perform() { return curl_easy_perform(curl_); }

 private:
  CURL* curl_;
};

S3Exchange::S3Exchange(S3Settings settings, S3Limits limits)
    : settings_(std::move(settings)), limits_(limits), region_(settings_.region) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CAPSTAN_ASSERT(ready == CURLE_OK, "libcurl starts");
}

S3Exchange::~S3Exchange() = default;

bool S3Exchange::move_to(const std::string& region) {
  const std::lock_guard lock(mutex_);
  return std::exchange(region_, region) != region;
}

std::string S3Exchange::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

std::string S3Exchange::endpoint() const {
  return settings_.endpoint.empty() ? fmt::format("https://s3.{}.amazonaws.com", region())
                                    : settings_.endpoint;
}

std::unique_ptr<S3Exchange::Handle> S3Exchange::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Handle>();
  auto handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void S3Exchange::give_back(std::unique_ptr<Handle> handle) {
  handle->reset();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
}

Result<S3Response> S3Exchange::run(const S3Request& request, const S3Sink& sink) {
  auto handle = take();
  Receipt receipt{sink, {}};
  char error[CURL_ERROR_SIZE] = "";
  HeaderList headers;
  for (const auto& [name, value] : request.headers) headers.add(name, value);
  headers.add("x-amz-content-sha256", sha256_hex(request.body));
  if (!settings_.session_token.empty()) headers.add("x-amz-security-token", settings_.session_token);
  handle->set(CURLOPT_URL, url_of(endpoint(), request));
  handle->set(CURLOPT_PATH_AS_IS, 1L);
  handle->set(CURLOPT_PROTOCOLS_STR, "http,https");
  handle->set(CURLOPT_NOSIGNAL, 1L);
  handle->set(CURLOPT_ERRORBUFFER, error);
  handle->set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.count()));
  handle->set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  handle->set(CURLOPT_LOW_SPEED_TIME,
              static_cast<long>(std::max<std::int64_t>(1, limits_.stall.count() / 1000)));
  handle->set(CURLOPT_USERNAME, settings_.access_key);
  handle->set(CURLOPT_PASSWORD, settings_.secret_key);
  handle->set(CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:s3", region()));
  if (!settings_.ca_file.empty()) handle->set(CURLOPT_CAINFO, settings_.ca_file);
  if (request.method == "HEAD") {
    handle->set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    headers.add("Content-Type", "application/octet-stream");
    handle->set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    handle->set(CURLOPT_POSTFIELDS,
                request.body.empty() ? "" : reinterpret_cast<const char*>(request.body.data()));
    handle->set(CURLOPT_CUSTOMREQUEST, request.method);
  } else if (request.method != "GET") {
    handle->set(CURLOPT_CUSTOMREQUEST, request.method);
  }
  if (!request.range.empty()) handle->set(CURLOPT_RANGE, request.range);
  handle->set(CURLOPT_HTTPHEADER, headers.get());
  handle->set(CURLOPT_WRITEFUNCTION, on_body);
  handle->set(CURLOPT_WRITEDATA, &receipt);
  handle->set(CURLOPT_HEADERFUNCTION, on_header);
  handle->set(CURLOPT_HEADERDATA, &receipt);
  const CURLcode code = handle->perform();
  give_back(std::move(handle));
  if (code == CURLE_OK && receipt.head_whole) return std::move(receipt.response);
  if (code == CURLE_OK) return make_error(ErrorCode::kUnavailable, "the answer was cut off in its head");
  if (receipt.broken_off) return make_error(ErrorCode::kCancelled, "broken off");
  return make_error(distrusts(code) ? ErrorCode::kRefused : ErrorCode::kUnavailable,
                    error[0] != '\0' ? error : curl_easy_strerror(code));
}

}  // namespace capstan
