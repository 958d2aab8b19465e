// EtcdProcess: an etcd of a test's own, on free ports of the loopback, with its data in the test's folder.
#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace capstan {

int free_port();  // of 127.0.0.1, at this moment

class EtcdProcess {
 public:
  // Why tests with etcd are skipped; empty: it is installed.
  static std::string missing();

  // Members of one cluster know each other's peer ports.
  // `words_before`: as of NetworkLab::on(), for a host of its own.
  explicit EtcdProcess(const std::string& folder, const std::string& address = "127.0.0.1",
                       std::vector<std::string> words_before = {})
      : folder_(folder),
        address_(address),
        words_before_(std::move(words_before)),
        client_(free_port()),
        peer_(free_port()) {}

  void start();
  // Until it answers, or false.
  bool answers();
  void kill() { process_.reset(); }
  void stop();  // and has stopped on return
  void go_on() { process_->signal(SIGCONT); }
  std::string endpoint() const { return url(client_); }
  std::string log() const { return process_->err(); }

 private:
  std::string url(int port) const { return "http://" + address_ + ":" + std::to_string(port); }

  std::string folder_, address_;
  std::vector<std::string> words_before_;
  int client_, peer_;
  std::unique_ptr<Process> process_;
};

}  // namespace capstan
