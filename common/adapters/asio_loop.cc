#include "common/adapters/asio_loop.h"

#include <time.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <unordered_map>

#include "common/assert.h"

namespace capstan {
namespace asio = boost::asio;

namespace {

struct Watch {
  Watch(asio::io_context& context, int fd, std::function<void()> on_readable)
      : descriptor(context, fd), callback(std::move(on_readable)) {}
  asio::posix::stream_descriptor descriptor;
  std::function<void()> callback;
};

}  // namespace

struct AsioLoop::Impl {
  struct Pending {
    asio::steady_timer timer;
    std::function<void()> callback;
  };

  void arm(WatchId id, const std::shared_ptr<Watch>& watch) {
    // A wait re-registers the descriptor, so one that is readable already reports at once.
    watch->descriptor.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [this, id, weak = std::weak_ptr(watch)](const boost::system::error_code& error) {
          const auto alive = weak.lock();
          if (error || !alive || !watches.contains(id)) return;
          alive->callback();
          if (watches.contains(id)) arm(id, alive);
        });
  }

  void arm_signals() {
    signals->async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      const auto callback = signal_callback;
      callback(signal);
      arm_signals();
    });
  }

  void fire(TimerId id) {
    const auto found = timers.find(id);
    if (found == timers.end()) return;
    const auto callback = std::move(found->second.callback);
    timers.erase(found);
    callback();
  }

  std::unordered_map<TimerId, Pending> timers;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches;
  std::function<void(int)> signal_callback;
  std::uint64_t last_id = 0;
  // Destroyed first: a posted callback may own objects that cancel their timers then.
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::unique_ptr<asio::signal_set> signals;
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}

AsioLoop::~AsioLoop() {
  for (auto& [id, watch] : impl_->watches) watch->descriptor.release();
  impl_->watches.clear();
  while (!impl_->timers.empty()) {
    const auto dying =
        impl_->timers.extract(impl_->timers.begin());  // what its callback owns may cancel others
  }
}

Instant AsioLoop::now() const {
  timespec time{};
  CAPSTAN_ASSERT(clock_gettime(CLOCK_BOOTTIME, &time) == 0, "the machine has a boot clock");
  return Instant(Duration(static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000));
}

TimerId AsioLoop::call_after(Duration delay, std::function<void()> callback) {
  const TimerId id = ++impl_->last_id;
  const auto [position, added] =
      impl_->timers.try_emplace(id, Impl::Pending{asio::steady_timer(impl_->context), std::move(callback)});
  position->second.timer.expires_after(delay);
  // A timer that is cancelled after it expired has its handler queued already: fire() looks it up first.
  position->second.timer.async_wait([impl = impl_.get(), id](const boost::system::error_code& error) {
    if (!error) impl->fire(id);
  });
  return id;
}

void AsioLoop::cancel(TimerId timer) {
  const auto dying = impl_->timers.extract(timer);  // what its callback owns may cancel others
}

void AsioLoop::post(std::function<void()> callback) {
  asio::post(impl_->context, std::move(callback));
}

void AsioLoop::run() {
  if (impl_->context.stopped()) impl_->context.restart();
  impl_->context.run();
}

void AsioLoop::stop() {
  asio::post(impl_->context, [impl = impl_.get()] { impl->context.stop(); });
}

std::vector<int> AsioLoop::ending_signals() {
  struct sigaction hangup {};
  const bool ignored = ::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
  return ignored ? std::vector<int>{SIGINT, SIGTERM} : std::vector<int>{SIGINT, SIGTERM, SIGHUP};
}

void AsioLoop::on_signal(std::function<void(int)> callback) {
  impl_->signal_callback = std::move(callback);
  if (impl_->signals) return;
  impl_->signals = std::make_unique<asio::signal_set>(impl_->context);
  for (const int signal : ending_signals()) impl_->signals->add(signal);
  impl_->arm_signals();
}

AsioLoop::WatchId AsioLoop::watch_readable(int fd, std::function<void()> callback) {
  const WatchId id = ++impl_->last_id;
  const auto watch = std::make_shared<Watch>(impl_->context, fd, std::move(callback));
  impl_->watches.emplace(id, watch);
  impl_->arm(id, watch);
  return id;
}

void AsioLoop::unwatch(WatchId watch) {
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  found->second->descriptor.release();
  impl_->watches.erase(found);
}

}  // namespace capstan
