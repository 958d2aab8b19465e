#include "cli/node_page.h"

#include <spdlog/fmt/fmt.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "cli/dashboard/files.h"
#include "common/adapters/disk_files.h"
#include "common/adapters/prometheus_text.h"
#include "common/endpoint_check.h"

namespace capstan {
namespace {

const char* content_type_of(std::string_view file) {
  if (file.ends_with(".html")) return "text/html; charset=utf-8";
  if (file.ends_with(".css")) return "text/css; charset=utf-8";
  if (file.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::optional<TlsFiles>> tls_files() {
  TlsFiles files{environment("CAPSTAN_HTTP_CERT"), environment("CAPSTAN_HTTP_KEY")};
  if (files.certificate.empty() != files.key.empty()) {
    return make_error(
        ErrorCode::kInvalid,
        "CAPSTAN_HTTP_CERT and CAPSTAN_HTTP_KEY belong together: the files of a certificate and "
        "its key in PEM form. Set both for pages over https, or none");
  }
  for (const auto& [variable, file] :
       {std::pair("CAPSTAN_HTTP_CERT", files.certificate), std::pair("CAPSTAN_HTTP_KEY", files.key)}) {
    if (file.empty()) continue;
    if (const auto bytes = DiskFiles().read(file); !bytes.ok()) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("{} names a file in PEM form that this user can read: {}", variable,
                                    bytes.error().message));
    }
  }
  return files.key.empty() ? std::nullopt : std::optional(std::move(files));
}

}  // namespace

NodePage::NodePage(EventLoop& loop, NodePageContent content) : loop_(loop), content_(std::move(content)) {}

NodePage::~NodePage() {
  *alive_ = false;
}

Result<std::unique_ptr<NodePage>> NodePage::start(const std::string& place, EventLoop& loop, const Log& log,
                                                  NodePageContent content) {
  std::unique_ptr<NodePage> page(new NodePage(loop, std::move(content)));
  HttpServerOptions options;
  options.token = environment("CAPSTAN_HTTP_TOKEN");
  CAPSTAN_ASSIGN(options.tls, tls_files());
  options.tell = [log](const std::string& text) { log.warn("{}", text); };
  options.open_paths = {"/healthz", "/readyz"};
  if (page->content_.dashboard) {  // the page itself tells nothing; what it shows asks for the token
    options.open_paths.insert("/");
    for (const auto& [name, unused] : dashboard_files()) options.open_paths.insert("/" + std::string(name));
  }
  const bool open = options.token.empty();
  const char* scheme = options.tls.has_value() ? "https" : "http";
  const auto answer = [self = page.get(), alive = page->alive_, &loop](const std::string& path,
                                                                       HttpServer::Respond respond) {
    loop.post([self, alive, path, respond = std::move(respond)] {
      if (*alive) respond(self->page(path));
    });
  };
  CAPSTAN_ASSIGN(page->server_, HttpServer::start(place, std::move(options), answer));
  log.info("{} at {}://{}/{}", page->content_.dashboard ? "dashboard" : "metrics", scheme,
           page->server_->place(), page->content_.dashboard ? "" : "metrics");
  if (open && !is_loopback(page->server_->place())) {
    log.info("whoever reaches {} can read these pages: set CAPSTAN_HTTP_TOKEN to ask for a token",
             page->server_->place());
  }
  return page;
}

HttpReply NodePage::page(const std::string& path) const {
  if (path == "/healthz") return {200, "text/plain", "ok\n"};
  if (path == "/readyz") {
    return content_.ready() ? HttpReply{200, "text/plain", "ready\n"}
                            : HttpReply{503, "text/plain", "not ready\n"};
  }
  if (path == "/metrics") {
    Metrics metrics;
    content_.add_metrics(metrics);
    metrics.counter("capstan_http_tokens_refused_total", "Requests for pages without the token.",
                    static_cast<double>(server_->tokens_refused()));
    return {200, kPrometheusContentType, prometheus_text(metrics)};
  }
  if (const auto page = content_.json_pages.find(path); page != content_.json_pages.end()) {
    return {200, "application/json", page->second()};
  }
  if (content_.dashboard) {
    const auto file = dashboard_files().find(path == "/" ? "index.html" : std::string_view(path).substr(1));
    if (file != dashboard_files().end())
      return {200, content_type_of(file->first), std::string(file->second)};
  }
  std::string known = "there are /metrics, /healthz, /readyz";
  for (const auto& [name, unused] : content_.json_pages) known += ", " + name;
  return {404, "text/plain", known + (content_.dashboard ? " and /\n" : "\n")};
}

}  // namespace capstan
