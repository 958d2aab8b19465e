// FaultProxy: stands before an HTTP server and answers, cuts or passes on each request as a test says.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace capstan {

// What becomes of one request; nothing set: it is passed on.
struct HttpFault {
  int status = 0;                  // answered so, and not passed on
  std::string body{};              // of that answer
  std::int64_t cut_request = -1;   // the connections end after so many bytes of the request's body
  std::int64_t cut_response = -1;  // or of the response, its head included
};

// Every connection carries one request: the proxy asks the server to close.
class FaultProxy {
 public:
  using Decide = std::function<HttpFault(const std::string& head)>;  // of each request's head

  explicit FaultProxy(int port_behind) : behind_(port_behind), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = local(0);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    listen(listener_, 64);
    socklen_t size = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FaultProxy() {
    ends_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    for (std::thread& each : carriers_) each.join();
  }
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  void decide(Decide decide) {
    const std::lock_guard lock(mutex_);
    decide_ = std::move(decide);
  }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::size_t requests() const { return requests_; }

 private:
  static sockaddr_in local(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  static bool send_all(int to, const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t sent = send(to, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += static_cast<std::size_t>(sent);
    }
    return true;
  }
  // Empty at the connection's end, or when the proxy ends.
  std::string receive(int from) const {
    std::string bytes(65536, '\0');
    pollfd ready{from, POLLIN, 0};
    while (!ends_ && poll(&ready, 1, 50) == 0) continue;
    const ssize_t got = ends_ ? 0 : recv(from, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    return bytes;
  }

  void accept_all() {
    while (!ends_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      carriers_.emplace_back([this, client] {
        carry(client);
        close(client);
      });
    }
  }

  void carry(int client) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const std::string more = receive(client);
      if (more.empty()) return;
      head += more;
    }
    ++requests_;
    const std::size_t body_at = head.find("\r\n\r\n") + 4;
    std::string body = head.substr(body_at);
    head.resize(body_at);
    HttpFault fault;
    {
      const std::lock_guard lock(mutex_);
      if (decide_) fault = decide_(head);
    }
    if (fault.status > 0) return answer(client, head, body.size(), fault);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = local(behind_);
    head.insert(head.size() - 2, "Connection: close\r\n");
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
        send_all(server, head)) {
      pump(client, server, body, fault);
    }
    close(server);
  }

  // The request is read first, so that the answer is not lost with it.
  void answer(int client, const std::string& head, std::size_t got, const HttpFault& fault) const {
    const std::size_t at = head.find("Content-Length: ");
    const bool waits = head.find("Expect: 100-continue") != std::string::npos;
    const std::size_t length = at == std::string::npos || waits ? 0 : std::stoul(head.substr(at + 16));
    while (got < length) {
      const std::string more = receive(client);
      if (more.empty()) return;
      got += more.size();
    }
    send_all(client, "HTTP/1.1 " + std::to_string(fault.status) +
                         " Fault\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(fault.body.size()) + "\r\n\r\n" + fault.body);
    shutdown(client, SHUT_WR);
    while (!receive(client).empty()) continue;
  }

  void pump(int client, int server, const std::string& first, const HttpFault& fault) const {
    std::int64_t up = static_cast<std::int64_t>(first.size()), down = 0;
    if (!send_all(server, first)) return;
    const auto over = [](std::int64_t bytes, std::int64_t limit) { return limit >= 0 && bytes >= limit; };
    pollfd ready[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (!ends_ && !over(up, fault.cut_request)) {
      if (poll(ready, 2, 50) <= 0) continue;
      if (ready[0].revents != 0) {
        const std::string more = receive(client);
        if (more.empty() || !send_all(server, more)) return;
        up += static_cast<std::int64_t>(more.size());
      }
      if (ready[1].revents != 0) {
        std::string more = receive(server);
        const bool cut = over(down + static_cast<std::int64_t>(more.size()), fault.cut_response);
        if (cut) more.resize(static_cast<std::size_t>(fault.cut_response - down));
        if (more.empty() || !send_all(client, more) || cut) return;
        down += static_cast<std::int64_t>(more.size());
      }
    }
  }

  int behind_, listener_, port_ = 0;
  std::atomic<bool> ends_{false};
  std::atomic<std::size_t> requests_{0};
  std::mutex mutex_;
  Decide decide_;  // guarded by mutex_
  std::vector<std::thread> carriers_;
  std::thread acceptor_;
};

}  // namespace capstan
