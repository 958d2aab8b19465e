#include "common/adapters/s3_client.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "common/adapters/s3_faults.h"
#include "common/text.h"

namespace capstan {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kPageKeys = 1000;
// After a request that all patience did not help, the next ones are tried once only.
constexpr std::chrono::milliseconds kGivenUpFor{5'000};

S3Request request_of(std::string method, const ObjectPath& object) {
  S3Request request;
  request.method = std::move(method);
  request.bucket = object.bucket;
  request.key = object.key;
  return request;
}

// What the keys below a folder begin with.
std::string prefix_of(const ObjectPath& folder) {
  return folder.key.empty() ? "" : folder.key + "/";
}

std::string header_of(const S3Response& response, const char* name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? "" : found->second;
}

}  // namespace

// How long a request is still worth another try. The pauses between two grow, and are drawn at random below
// that, so that many processes do not come back at once.
class S3Client::Patience {
 public:
  explicit Patience(S3Client& client) : client_(client) { renew(); }

  void renew() {
    deadline_ = Clock::now() + client_.limits_.patience;
    longest_ = client_.limits_.first_pause;
  }
  // Waits; false: no longer.
  bool wait() {
    ++tries_;
    if (client_.given_up_until_.load() > Clock::now().time_since_epoch().count()) return false;
    std::chrono::milliseconds pause;
    {
      const std::lock_guard lock(client_.mutex_);
      const auto bound = static_cast<std::uint64_t>(longest_.count()) + 1;
      pause = std::chrono::milliseconds(client_.rng_.below(bound));
    }
    if (Clock::now() + pause >= deadline_) {
      const auto until = Clock::now() + std::min(client_.limits_.patience, kGivenUpFor);
      client_.given_up_until_ = until.time_since_epoch().count();
      return false;
    }
    std::this_thread::sleep_for(pause);
    longest_ = std::min(longest_ * 2, client_.limits_.longest_pause);
    return true;
  }
  std::uint32_t tries() const { return tries_; }

 private:
  S3Client& client_;
  Clock::time_point deadline_;
  std::chrono::milliseconds longest_{0};
  std::uint32_t tries_ = 0;
};

// The bytes of one object, or a range of it, put together from as many answers as it takes.
struct S3Client::Download {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> size;  // absent: up to the object's end
  std::string etag{};                 // all come from the same object
  std::optional<Buffer> bytes{};
  std::uint64_t done = 0;
  bool news = true;  // the answer's head has not been looked at
  std::string problem{};
  ErrorCode code = ErrorCode::kIo;

  bool fail(ErrorCode with, std::string why) {
    code = with;
    problem = std::move(why);
    return false;
  }
  // Called with the head of each answer: the first says how much there is.
  bool begin(const S3Response& head) {
    news = false;
    if (bytes.has_value()) {
      return head.status == 206 || done == 0 || fail(ErrorCode::kIo, "the store does not give ranges");
    }
    etag = header_of(head, "etag");
    const std::string length = header_of(head, "content-length");
    const auto given = parse_uint(length);
    if (!given) return fail(ErrorCode::kIo, "the store does not say how long the object is");
    if (!size.has_value()) {
      size = *given;
    } else if (head.status != 206) {
      return fail(ErrorCode::kIo, "the store does not give ranges");
    } else if (*given != *size) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("{} bytes at {} asked for, the object has {}", *size, offset, offset + *given));
    }
    bytes = Buffer::allocate(*size);
    return true;
  }
  bool take(const S3Response& head, std::span<const std::byte> more) {
    if (news && !begin(head)) return false;
    if (more.size() > *size - done) return fail(ErrorCode::kIo, "the store gives more than was asked for");
    std::memcpy(bytes->mutable_data() + done, more.data(), more.size());
    done += more.size();
    return true;
  }
  // Of what is still missing.
  void ask(S3Request& request) {
    news = true;
    if (size.value_or(0) == 0) return;
    request.range = fmt::format("{}-{}", offset + done, offset + *size - 1);
    if (!etag.empty()) request.headers["if-match"] = etag;
  }
};

S3Client::S3Client(S3Settings settings, S3Limits limits)
    : exchange_(std::move(settings), limits), limits_(limits), rng_(std::random_device{}()) {}

S3Client::~S3Client() {
  abort_waiting();
}

std::string S3Client::attempted(const S3Request& request) const {
  const auto prefix = request.query.find("prefix");
  const std::string& key = prefix == request.query.end() ? request.key : prefix->second;
  return fmt::format("{} s3://{}/{} at {}", prefix == request.query.end() ? request.method : "LIST",
                     request.bucket, key, exchange_.endpoint());
}

Error S3Client::error_of(const S3Request& request, const S3Response& response, bool& again) const {
  S3Fault fault = read_s3_fault(response.body);
  while (fault.message.ends_with('.')) fault.message.pop_back();
  again = s3_may_pass(response.status, fault.code);
  std::string text = fmt::format("{}: HTTP {}", attempted(request), response.status);
  if (!fault.code.empty()) text += " " + fault.code;
  if (!fault.message.empty()) text += ": " + fault.message;
  const std::string advice = s3_advice(response.status, fault, exchange_.region());
  if (!advice.empty()) text += "; " + advice;
  return make_error(s3_error_code(response.status, fault.code), text);
}

// The store says which region the bucket is in.
bool S3Client::moves(const S3Response& refusal) {
  std::string region = header_of(refusal, "x-amz-bucket-region");
  if (region.empty()) region = read_s3_fault(refusal.body).region;
  return !region.empty() && exchange_.move_to(region);
}

Result<S3Response> S3Client::send(S3Request request, const S3Sink& sink,
                                  const std::function<void(S3Request&)>& before_next) {
  if (!exchange_.has_credentials()) {
    return make_error(ErrorCode::kRefused,
                      attempted(request) +
                          ": no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "
                          "the environment of this process");
  }
  Patience patience(*this);
  bool moved = false;
  while (true) {
    bool came = false, again = true;
    const S3Sink counting = [&](const S3Response& head, std::span<const std::byte> bytes) {
      came = came || !bytes.empty();
      return sink(head, bytes);
    };
    auto response = exchange_.run(request, sink ? counting : sink);
    if (response.ok() && response->good()) {
      given_up_until_ = 0;
      return response;
    }
    if (response.ok() && !std::exchange(moved, true) && moves(*response)) continue;
    Error error =
        response.ok() ? error_of(request, *response, again) : response.error().wrap(attempted(request));
    if (!response.ok()) again = error.code == ErrorCode::kUnavailable;
    if (!again) return error;
    if (came) patience.renew();
    if (!patience.wait()) {
      error.message += fmt::format(" (tried {} time{})", patience.tries(), patience.tries() == 1 ? "" : "s");
      return error;
    }
    if (before_next) before_next(request);
  }
}

Result<Buffer> S3Client::download(const ObjectPath& object, Download& download) {
  S3Request request = request_of("GET", object);
  download.ask(request);
  const auto response = send(
      request,
      [&](const S3Response& head, std::span<const std::byte> bytes) { return download.take(head, bytes); },
      [&](S3Request& next) { download.ask(next); });
  if (!download.problem.empty()) {
    return make_error(download.code, attempted(request) + ": " + download.problem);
  }
  if (!response.ok()) return response.error();
  if (!download.bytes.has_value() && !download.begin(*response)) {  // no byte came
    return make_error(download.code, attempted(request) + ": " + download.problem);
  }
  if (download.done == *download.size) return std::move(*download.bytes);
  return make_error(ErrorCode::kIo, fmt::format("{}: {} of {} bytes came", attempted(request), download.done,
                                                *download.size));
}

Result<Buffer> S3Client::get(const ObjectPath& object) {
  Download whole;
  return download(object, whole);
}

Result<Buffer> S3Client::get_range(const ObjectPath& object, std::uint64_t offset, std::uint64_t size) {
  if (size > 0) {
    Download range{.offset = offset, .size = size};
    return download(object, range);
  }
  CAPSTAN_ASSIGN(const std::uint64_t total, size_of(object));
  if (offset <= total) return Buffer();
  return make_error(ErrorCode::kCorrupt,
                    fmt::format("{}: nothing at {}, the object has {} bytes", object.text(), offset, total));
}

Result<std::uint64_t> S3Client::size_of(const ObjectPath& object) {
  const S3Request request = request_of("HEAD", object);
  CAPSTAN_ASSIGN(const S3Response response, send(request));
  const auto size = parse_uint(header_of(response, "content-length"));
  if (size) return std::uint64_t{*size};
  return make_error(ErrorCode::kIo, attempted(request) + ": the store does not say how long the object is");
}

Status S3Client::put(const ObjectPath& object, std::span<const std::byte> bytes) {
  abort_waiting();
  S3Request request = request_of("PUT", object);
  request.body = bytes;
  CAPSTAN_TRY(send(request));
  return ok_status();
}

Status S3Client::remove(const ObjectPath& object) {
  const auto response = send(request_of("DELETE", object));
  if (!response.ok() && response.error().code != ErrorCode::kNotFound) return response.error();
  return ok_status();
}

Result<S3Page> S3Client::page(const ObjectPath& folder, Depth depth, std::uint32_t keys_max,
                              const std::string& token) {
  S3Request request = request_of("GET", {.bucket = folder.bucket});
  request.query = {{"list-type", "2"}, {"prefix", prefix_of(folder)}, {"max-keys", std::to_string(keys_max)}};
  if (depth == Depth::kOne) request.query.emplace("delimiter", "/");
  if (!token.empty()) request.query["continuation-token"] = token;
  CAPSTAN_ASSIGN(const S3Response response, send(request));
  return read_s3_page(response.body).wrap(attempted(request));
}

Result<S3Page> S3Client::list(const ObjectPath& folder, Depth depth) {
  CAPSTAN_ASSIGN(S3Page all, page(folder, depth, kPageKeys, ""));
  while (!all.next.empty()) {
    CAPSTAN_ASSIGN(S3Page more, page(folder, depth, kPageKeys, all.next));
    std::move(more.objects.begin(), more.objects.end(), std::back_inserter(all.objects));
    std::move(more.prefixes.begin(), more.prefixes.end(), std::back_inserter(all.prefixes));
    all.next = std::move(more.next);
  }
  return all;
}

Result<bool> S3Client::any_below(const ObjectPath& folder) {
  CAPSTAN_ASSIGN(const S3Page some, page(folder, Depth::kAll, 1, ""));
  return !some.objects.empty();
}

Result<std::string> S3Client::begin_upload(const ObjectPath& object) {
  abort_waiting();
  S3Request request = request_of("POST", object);
  request.query = {{"uploads", ""}};
  CAPSTAN_ASSIGN(const S3Response response, send(request));
  return read_s3_upload_id(response.body).wrap(attempted(request));
}

Result<std::string> S3Client::upload_part(const ObjectPath& object, const std::string& upload,
                                          std::size_t part, std::span<const std::byte> bytes) {
  S3Request request = request_of("PUT", object);
  request.query = {{"partNumber", std::to_string(part)}, {"uploadId", upload}};
  request.body = bytes;
  CAPSTAN_ASSIGN(const S3Response response, send(request));
  return header_of(response, "etag");
}

// The answer may be lost, and a store says that it is well and only then finds that it is not: in both cases
// the object itself tells.
Status S3Client::complete_upload(const ObjectPath& object, const std::string& upload,
                                 const std::vector<std::string>& etags, std::uint64_t size) {
  const std::string body = s3_completion(etags);
  S3Request request = request_of("POST", object);
  request.query = {{"uploadId", upload}};
  request.body = std::as_bytes(std::span(body));
  Status status = ok_status();
  Patience patience(*this);
  while (true) {
    const auto response = send(request);
    const S3Fault fault = response.ok() ? read_s3_fault(response->body) : S3Fault{};
    if (response.ok() && fault.code.empty()) return ok_status();
    status = response.ok() ? make_error(ErrorCode::kUnavailable, fmt::format("{}: {}: {}", attempted(request),
                                                                             fault.code, fault.message))
                           : response.error();
    const auto there = size_of(object);
    if (there.ok() && *there == size) return ok_status();
    const bool again = response.ok() && s3_may_pass(0, fault.code);
    if (!again || !patience.wait()) return status;
  }
}

void S3Client::abort_upload(const ObjectPath& object, const std::string& upload) {
  S3Request request = request_of("DELETE", object);
  request.query = {{"uploadId", upload}};
  (void)exchange_.run(request);
}

void S3Client::abort_later(const ObjectPath& object, const std::string& upload) {
  const std::lock_guard lock(mutex_);
  to_abort_.emplace_back(object, upload);
}

void S3Client::abort_waiting() {
  std::vector<std::pair<ObjectPath, std::string>> uploads;
  {
    const std::lock_guard lock(mutex_);
    uploads.swap(to_abort_);
  }
  for (const auto& [object, upload] : uploads) abort_upload(object, upload);
}

Result<std::vector<S3Upload>> S3Client::open_uploads(const ObjectPath& folder) {
  S3Request request = request_of("GET", {.bucket = folder.bucket});
  request.query = {{"uploads", ""}, {"prefix", prefix_of(folder)}};
  CAPSTAN_ASSIGN(const S3Response response, send(request));
  return read_s3_uploads(response.body).wrap(attempted(request));
}

}  // namespace capstan
