// NodePage: what a node answers over HTTP: /metrics for Prometheus, /healthz and /readyz for whoever watches
// over processes; at a scheduler also a page to look at, and what that asks for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/adapters/http_server.h"
#include "common/event_loop.h"
#include "common/log.h"
#include "common/metrics.h"

namespace capstan {

// All run on the node's loop.
struct NodePageContent {
  std::function<bool()> ready;
  std::function<void(Metrics& out)> add_metrics;
  std::map<std::string, std::function<std::string()>> json_pages;  // by path, such as "/status"
  bool dashboard = false;                                          // "/" is cli/dashboard
};

class NodePage {
 public:
  ~NodePage();
  // Listens at "HOST:PORT". Each page is made on `loop`: one that hangs does not answer (503). The
  // environment's CAPSTAN_HTTP_TOKEN, if it is set, is asked for by all but /healthz and /readyz; with
  // CAPSTAN_HTTP_CERT and CAPSTAN_HTTP_KEY, files in PEM form, they are served over https.
  static Result<std::unique_ptr<NodePage>> start(const std::string& place, EventLoop& loop, const Log& log,
                                                 NodePageContent content);

 private:
  NodePage(EventLoop& loop, NodePageContent content);
  HttpReply page(const std::string& path) const;

  EventLoop& loop_;
  NodePageContent content_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<HttpServer> server_;
};

}  // namespace capstan
