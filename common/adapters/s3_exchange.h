// S3Exchange: one signed HTTP request to an object store and its answer, by libcurl.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/adapters/s3_settings.h"
#include "common/result.h"

namespace capstan {

struct S3Request {
  std::string method;  // GET, HEAD, PUT, POST, DELETE
  std::string bucket, key;
  std::map<std::string, std::string> query;    // plain; a name alone, such as "uploads", has an empty value
  std::map<std::string, std::string> headers;  // signed
  std::string range;                           // "0-99": GET only these bytes
  std::span<const std::byte> body;
};

struct S3Response {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // what no sink took
  bool good() const { return status >= 200 && status < 300; }
};

// Takes the bytes of a good answer as they come, its head being known; false breaks off.
using S3Sink = std::function<bool(const S3Response& head, std::span<const std::byte> bytes)>;

// Thread-safe: each request has a connection of its own while it lasts; connections are used again.
class S3Exchange {
 public:
  S3Exchange(S3Settings settings, S3Limits limits);
  ~S3Exchange();
  S3Exchange(const S3Exchange&) = delete;
  S3Exchange& operator=(const S3Exchange&) = delete;

  // Whatever HTTP status there is is an answer. kUnavailable: no whole answer came, the request may have been
  // carried out; kRefused: the server's certificate is not trusted; kCancelled: the sink broke off.
  Result<S3Response> run(const S3Request& request, const S3Sink& sink = {});

  bool has_credentials() const { return !settings_.access_key.empty() && !settings_.secret_key.empty(); }
  // Where requests go from here on. False: it is the region already.
  bool move_to(const std::string& region);
  std::string region() const;
  std::string endpoint() const;

 private:
  class Handle;
  std::unique_ptr<Handle> take();
  void give_back(std::unique_ptr<Handle> handle);

  S3Settings settings_;
  S3Limits limits_;
  mutable std::mutex mutex_;
  std::string region_;                         // guarded by mutex_
  std::vector<std::unique_ptr<Handle>> idle_;  // guarded by mutex_
};

}  // namespace capstan
