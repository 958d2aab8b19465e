// HttpServer: answers GET requests on a thread of its own, by Boost.Beast, so that neither a slow reader nor
// a scraper holds up the node whose page it is. Over TLS when it has a certificate.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/adapters/tls_files.h"
#include "common/event_loop.h"
#include "common/result.h"

namespace capstan {

struct HttpReply {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpServerOptions {
  std::string token;                 // "Authorization: Bearer TOKEN" is asked for; empty: of nobody
  std::set<std::string> open_paths;  // that answer without it
  std::optional<TlsFiles> tls;       // https; whoever comes without TLS is told so
  // A renewed certificate cannot be used; somebody lacks the token, at most once a minute. On its thread.
  std::function<void(const std::string& text)> tell;
  std::size_t connections_max = 64;                 // whoever comes beyond is told so (503)
  Duration idle_limit = std::chrono::seconds(30);   // for a request to come, or an answer to be read
  Duration answer_limit = std::chrono::seconds(5);  // then the node is said not to answer (503)
};

class HttpServer {
 public:
  using Respond = std::function<void(HttpReply)>;  // from any thread; the first call counts
  // A path without its query. On the server's thread: it hands the work on and returns.
  using Handler = std::function<void(const std::string& path, Respond respond)>;

  // Listens at "HOST:PORT", port 0 picks one. kInvalid: no such place, or a certificate that cannot be used;
  // kNotFound: there is none; kIo: the place is taken.
  static Result<std::unique_ptr<HttpServer>> start(const std::string& place, HttpServerOptions options,
                                                   Handler handler);
  // What is under way is broken off.
  ~HttpServer();
  const std::string& place() const;      // "127.0.0.1:41233"
  std::uint64_t tokens_refused() const;  // requests without the token

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace capstan
