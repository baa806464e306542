import Glibc
import TestSupport
import Testing
import TraceTypes

@testable import TraceCapture

@Suite struct InstanceTests {
  @Test func staleInstancesAreThoseOfDeadProcessesAndOtherPrograms() {
    let directory = TemporaryDirectory()
    for name in [
      "ipitrace-10", "ipitrace-20", "ipitrace-30", "ipitrace-40", "ipitrace-99", "ipitrace-", "ipitrace-x",
      "ipitrace-10x", "ipitrace-010", "ipitrace--5", "ipitrace-0", "trace-cmd", "mine",
    ] {
      directory.write("", to: "instances/\(name)/x")
    }
    directory.write("ipitrace\n", to: "proc/10/comm")
    directory.write("bash\n", to: "proc/20/comm")
    directory.write("ipitrace-static\n", to: "proc/40/comm")
    directory.write("ipitrace\n", to: "proc/99/comm")
    let found = StaleInstances.find(
      in: directory.path + "/instances", processes: directory.path + "/proc", own: 99)
    // 30 is dead, 20 another program by now, 99 ourselves, who have made none yet.
    #expect(found == ["ipitrace-20", "ipitrace-30", "ipitrace-99"])
  }

  @Test func staleInstancesAreRemovedUnlessInUse() {
    let directory = TemporaryDirectory()
    mkdir(directory.path + "/instances", 0o700)
    mkdir(directory.path + "/instances/ipitrace-30", 0o700)
    // Not empty, so it resists as an instance does that somebody reads from.
    directory.write("", to: "instances/ipitrace-31/x")
    mkdir(directory.path + "/instances/other", 0o700)
    let result = StaleInstances.remove(
      in: directory.path + "/instances", processes: directory.path + "/proc", own: 99)
    #expect(result.removed == ["ipitrace-30"])
    #expect(result.left == ["ipitrace-31"])
    #expect(listing(directory.path + "/instances") == ["ipitrace-31", "other"])
  }

  @Test func noInstancesAreNoError() {
    #expect(StaleInstances.find(in: "/nonexistent", own: 1) == [])
  }

  @Test func clocksAreRead() {
    let clocks = TraceClocks(text: "local global [mono] x86-tsc\n")
    #expect(clocks.names == ["local", "global", "mono", "x86-tsc"])
    #expect(clocks.chosen == "mono")
    #expect(TraceClocks(text: "").chosen == nil)
    #expect(TraceClocks(text: "[]").chosen == nil)
  }

  @Test(arguments: [
    ([], "0"), ([0], "00000001"), ([0, 1, 31], "80000003"), ([32], "00000001,00000000"),
    ([3, 64], "00000001,00000000,00000008"), ([127], "80000000,00000000,00000000,00000000"),
  ])
  func masksAreWrittenAsTheKernelReadsThem(cpus: [Int], words: String) {
    #expect(CPUMask(cpus).hexadecimalWords == words)
  }

  @Test func statisticsAddUpAllLosses() {
    let statistics = BufferStatistics(
      text: """
        entries: 5
        overrun: 100
        commit overrun: 20
        bytes: 4096
        oldest event ts:  1497.171285
        now ts:  1497.304646
        dropped events: 3
        read events: 34701

        """)
    #expect(statistics.lost == 123)
    #expect(statistics.bytes == 4096)
    #expect(BufferStatistics(text: "garbage\noverrun: many\n: 3").lost == 0)
  }
}

@Suite struct MachineFactsTests {
  @Test func factsComeFromSysfs() {
    let directory = TemporaryDirectory()
    directory.write("0-7\n", to: "cpu/possible")
    directory.write("0-5\n", to: "cpu/online")
    directory.write("\n", to: "cpu/isolated")
    directory.write("(null)\n", to: "cpu/nohz_full")
    directory.write("0-3\n", to: "node/node0/cpulist")
    directory.write("4-7\n", to: "node/node1/cpulist")
    directory.write("0-1\n", to: "node/online")
    // CPU 1 is that of an older kernel; of CPU 3 nothing is known, and CPU 4 is not a CPU of its own list.
    directory.write("0,4\n", to: "cpu/cpu0/topology/core_cpus_list")
    directory.write("0-7\n", to: "cpu/cpu0/topology/thread_siblings_list")
    directory.write("1,5\n", to: "cpu/cpu1/topology/thread_siblings_list")
    directory.write("1,5\n", to: "cpu/cpu5/topology/thread_siblings_list")
    directory.write("2\n", to: "cpu/cpu2/topology/core_cpus_list")
    directory.write("7\n", to: "cpu/cpu4/topology/core_cpus_list")
    directory.write("0\n", to: "cpu/cpufreq/topology/core_cpus_list")
    let facts = CaptureFacts(machineAt: directory.path)
    #expect(facts.possible == CPUMask(0...7))
    #expect(facts.online == CPUMask(0...5))
    #expect(facts.isolated == CPUMask())
    #expect(facts.nohzFull == nil)
    #expect(facts.nodes == [0: CPUMask(0...3), 1: CPUMask(4...7)])
    #expect(facts.cores == [0: 0, 1: 1, 5: 1, 2: 2])
  }

  @Test func absentFactsStayUnknown() {
    #expect(CaptureFacts(machineAt: "/nonexistent") == CaptureFacts())
  }
}

@Suite struct CaptureEventsTests {
  @Test func onlySwitchesCanBeLeftOut() {
    let all = CaptureEvents.expected(withSwitches: true)
    let fewer = CaptureEvents.expected(withSwitches: false)
    #expect(all.filter { $0 != .schedSwitch } == fewer)
    #expect(fewer.contains(.schedWakeIdleWithoutIPI))
    #expect(Set(all).count == all.count)
  }

  @Test func warningsNameWhatIsMissing() {
    let warnings = CaptureSetup.warnings(
      enabled: [.ipiSendCPU], missing: ["csd:csd_queue_cpu", "csd:csd_function_entry"],
      fields: [(.ipiSendCPU, ["callback"])])
    #expect(warnings.count == 3)
    #expect(warnings[0].contains("csd:csd_queue_cpu, csd:csd_function_entry"))
    #expect(warnings[1].contains("6.4"))
    #expect(warnings[2].contains("ipi:ipi_send_cpu has no callback"))
    #expect(CaptureSetup.warnings(enabled: [.csdQueueCPU], missing: [], fields: []) == [])
  }
}

@Suite struct TaskNamesTests {
  @Test func namesAreCompletedFromTheKernelAndFromLivingTasks() {
    let directory = TemporaryDirectory()
    directory.write("living one\n", to: "7/comm")
    directory.write("impostor\n", to: "5/comm")
    let names = TaskNames.complete(
      [1: "known", 5: "", 6: "", 7: "", 8: ""], saved: "1 other\n5 saved name\n6 <...>\n99 not asked for\nbad\n",
      processes: directory.path)
    #expect(names == [1: "known", 5: "saved name", 7: "living one"])
  }
}
