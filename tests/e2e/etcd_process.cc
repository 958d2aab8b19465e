#include "tests/e2e/etcd_process.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/adapters/etcd_store.h"

namespace capstan {
namespace {

const char* const kProgram = "/usr/bin/etcd";

}  // namespace

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

std::string EtcdProcess::missing() {
  return access(kProgram, X_OK) == 0 ? "" : "there is no /usr/bin/etcd: apt-get install etcd-server";
}

void EtcdProcess::start() {
  const std::string peer = url(peer_);
  std::vector<std::string> words = words_before_;
  words.insert(words.end(),
               {kProgram, "--name", "test", "--data-dir", folder_ + "/etcd-data", "--listen-client-urls",
                endpoint(), "--advertise-client-urls", endpoint(), "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", "test=" + peer});
  process_ = std::make_unique<Process>(words, folder_ + "/etcd", "etcd-of-a-test");
}

bool EtcdProcess::answers() {
  EtcdStore store({endpoint()});
  return eventually([&] { return store.read("a", "b", 1).ok(); }, std::chrono::seconds(60));
}

void EtcdProcess::stop() {
  process_->signal(SIGSTOP);
  static_cast<void>(waitpid(process_->pid(), nullptr, WUNTRACED));
}

}  // namespace capstan
