// TcpTape: a relay before a TCP listener that keeps what its first client said, and can say it again.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace capstan {

class TcpTape {
 public:
  explicit TcpTape(const std::string& target)
      : port_(static_cast<std::uint16_t>(std::stoi(target.substr(target.rfind(':') + 1)))),
        listens_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    static_cast<void>(bind(listens_, reinterpret_cast<sockaddr*>(&address), size));
    static_cast<void>(listen(listens_, 1));
    getsockname(listens_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~TcpTape() {
    for (const int fd : {listens_, client_, server_, replay_}) {
      if (fd >= 0) close(fd);
    }
  }
  TcpTape(const TcpTape&) = delete;
  TcpTape& operator=(const TcpTape&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  // Moves what is there to be moved.
  void pump() {
    if (client_ < 0) {
      client_ = accept4(listens_, nullptr, nullptr, SOCK_NONBLOCK);
      if (client_ >= 0) server_ = to_target();
    }
    if (client_ >= 0) {
      said_ += move(client_, server_);
      move(server_, client_);
    }
    // As a client would: the rest of its words only after an answer.
    if (replay_ >= 0 && played_ < said_.size()) {
      constexpr std::size_t kPiece = 64;
      const std::size_t size = std::min(kPiece, said_.size() - played_);
      const ssize_t sent = ::send(replay_, said_.data() + played_, size, MSG_NOSIGNAL);
      if (sent > 0) played_ += static_cast<std::size_t>(sent);
    }
  }
  void play_again() { replay_ = to_target(); }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  int to_target() const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port_);
    static_cast<void>(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
  }
  static std::string move(int from, int to) {
    std::string moved;
    char bytes[4096];
    for (ssize_t got = 0; (got = recv(from, bytes, sizeof(bytes), 0)) > 0;) {
      moved.append(bytes, static_cast<std::size_t>(got));
      static_cast<void>(::send(to, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL));
    }
    return moved;
  }

  std::uint16_t port_;
  int listens_, client_ = -1, server_ = -1, replay_ = -1;
  std::string endpoint_, said_;
  std::size_t played_ = 0;
};

}  // namespace capstan
