#include "core/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/environment.hpp"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#elif !defined(_WIN32)
#include <pthread.h>
#endif

namespace trackcore {
namespace {

constexpr int max_threads = 256;

/// CPUs granted by a cgroup v2 quota, rounded up; 0 when there is none.
int cgroup_cpus() {
#if defined(__linux__)
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0.0;
    if (file >> quota >> period && quota != "max" && period > 0.0)
        return static_cast<int>(std::strtod(quota.c_str(), nullptr) / period + 0.999);
#endif
    return 0;
}

int affinity_cpus() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return static_cast<int>(std::thread::hardware_concurrency());
}

/// One call of parallel_for: workers and the caller take pieces until none is left.
class Job {
  public:
    Job(int count, int grain, const std::function<void(int, int)>& body)
        : count_(count), grain_(grain), body_(body) {}

    void work() {
        for (;;) {
            const int begin = next_.fetch_add(grain_);
            if (begin >= count_) return;
            try {
                body_(begin, std::min(begin + grain_, count_));
            } catch (...) {
                const std::lock_guard lock(mutex_);
                if (!error_) error_ = std::current_exception();
                next_.store(count_);
            }
        }
    }

    void enter() {
        const std::lock_guard lock(mutex_);
        ++helpers_;
    }
    void leave() {
        const std::lock_guard lock(mutex_);
        if (--helpers_ == 0) done_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return helpers_ == 0; });
        if (error_) std::rethrow_exception(error_);
    }

  private:
    const int count_, grain_;
    const std::function<void(int, int)>& body_;
    std::atomic<int> next_{0};
    std::mutex mutex_;
    std::condition_variable done_;
    int helpers_ = 0;
    std::exception_ptr error_;
};

class Pool {
  public:
    /// Offers `job` to `helpers` workers; those that have not begun when the caller is done with
    /// its share are called back by `withdraw`.
    void offer(Job* job, int helpers) {
        {
            const std::lock_guard lock(mutex_);
            while (static_cast<int>(workers_.size()) < helpers) {
                try {
                    workers_.emplace_back([this] { loop(); });
                } catch (const std::system_error&) {
                    break;  // the system has no more threads: the caller does the work alone
                }
            }
            for (int i = 0; i < helpers; ++i) queue_.push_back(job);
        }
        wake_.notify_all();
    }

    void withdraw(Job* job) {
        const std::lock_guard lock(mutex_);
        std::erase(queue_, job);
    }

    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

  private:
    void loop() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
            if (stop_) return;
            Job* job = queue_.front();
            queue_.pop_front();
            job->enter();  // under the pool's lock: withdraw() cannot miss it
            lock.unlock();
            job->work();
            job->leave();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job*> queue_;
    std::vector<std::thread> workers_;
    bool stop_ = false;
};

// Never destroyed: at interpreter exit another thread may still be inside, and a forked child must
// not join threads that exist only in its parent. The child starts a new pool.
std::atomic<Pool*> the_pool{nullptr};
std::mutex the_pool_mutex;

Pool& pool() {
    Pool* current = the_pool.load();
    if (current != nullptr) return *current;
    const std::lock_guard lock(the_pool_mutex);
    current = the_pool.load();
    if (current != nullptr) return *current;
#if !defined(_WIN32)
    static const int registered =
        pthread_atfork([] { the_pool_mutex.lock(); }, [] { the_pool_mutex.unlock(); },
                       [] {
                           the_pool.store(nullptr);
                           the_pool_mutex.unlock();
                       });
    static_cast<void>(registered);
#endif
    current = new Pool;
    the_pool.store(current);
    return *current;
}

}  // namespace

int available_threads() {
    const char* text = std::getenv("TRACKCORE_NUM_THREADS");
    if (text != nullptr && *text != '\0') {
        char* end = nullptr;
        errno = 0;
        const long wanted = std::strtol(text, &end, 10);
        if (*end != '\0' || errno == ERANGE || wanted < 1)
            throw EnvironmentError("TRACKCORE_NUM_THREADS", text,
                                   "expected a whole number above 0");
        return static_cast<int>(std::min<long>(wanted, max_threads));
    }
    static const int quota = cgroup_cpus();
    const int cpus = affinity_cpus();
    return std::clamp(quota > 0 ? std::min(quota, cpus) : cpus, 1, max_threads);
}

void parallel_for(int count, int grain, int threads, const std::function<void(int, int)>& body) {
    if (count <= 0) return;
    grain = std::max(grain, 1);
    const int wanted = threads <= 0 ? available_threads() : std::min(threads, max_threads);
    const int helpers = std::min(wanted, (count + grain - 1) / grain) - 1;
    if (helpers <= 0) {
        body(0, count);
        return;
    }
    Job job(count, grain, body);
    pool().offer(&job, helpers);
    job.work();
    pool().withdraw(&job);
    job.wait();
}

}  // namespace trackcore
