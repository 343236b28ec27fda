#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/value.hpp"
#include "core/ports/append_files.hpp"
#include "core/store/journal.hpp"

namespace amp {

/// Who saw the starts and ends of a log: a keeper of this machine (runs/RUN/keeper/EPOCH), which is what a
/// driver adopts from; or a driver, of tasks that run elsewhere (runs/RUN/starts/EPOCH), for those who look
/// on.
enum class Witness { keeper, driver };

/// Reads such a log up to a torn tail. Nothing when there is none. @return the length of its sound bytes.
/// @throws Error(mismatch) when it is broken where it says that it had been on the disk
std::uint64_t read_keeper_log(AppendFiles& files, std::string_view run, std::uint32_t epoch,
                              const std::function<void(const Record&)>& each,
                              Witness witness = Witness::keeper);

/// The same, damaged or not: what can be read before the first bad place.
std::uint64_t salvage_keeper_log(AppendFiles& files, std::string_view run, std::uint32_t epoch,
                                 const std::function<void(const Record&)>& each);

/// Appends a keeper log, from the reserve (Room::reserved) when the store is full. `flush` hands a batch to
/// the kernel with one write, so that it survives our death; it is synced within 50 ms by a thread. An error
/// is final: it is thrown by every later flush and barrier. One thread appends. The lock of the file
/// (AppendFiles::locked) tells whether the writer lives.
class KeeperLogWriter {
  public:
    /// Goes on behind what a log of this epoch holds already.
    /// @param before_sync as for JournalWriter
    /// @throws Error(busy) when another process writes it
    KeeperLogWriter(AppendFiles& files, std::string run, std::uint32_t epoch,
                    std::function<void()> before_sync = {}, Witness witness = Witness::keeper);
    ~KeeperLogWriter();  ///< flushes and syncs; errors are then lost
    KeeperLogWriter(const KeeperLogWriter&) = delete;
    KeeperLogWriter& operator=(const KeeperLogWriter&) = delete;

    void append(std::string_view type, const Value& payload);
    void flush();
    /// Returns when all that was appended is on the disk.
    void barrier();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace amp
