// HttpClient: one HTTP service over one connection, by Boost.Beast. Blocks its caller, for a limited time.
#pragma once

#include <memory>
#include <string>

#include "common/endpoint_check.h"
#include "common/event_loop.h"
#include "common/result.h"

namespace capstan {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(HttpPlace place);
  ~HttpClient();

  // Posts JSON to `path`. The connection is kept; when the service has closed it meanwhile the request is
  // sent once more, so it must be one that may be repeated. kUnavailable: it was not sent. kTimeout: it may
  // have had its effect.
  Result<HttpAnswer> post(const std::string& path, const std::string& body, Duration limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace capstan
