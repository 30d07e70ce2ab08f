// What a camera tells of movement, and everything that cameras do wrong with it.

import { silentLog, systemClock } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { EventSource, type EventSourceOptions, type EventSourceState } from '#onvif';
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../apps/simulator/src/index.js';

const SCENE = 'static';
const simulators: Simulator[] = [];
const sources: EventSource[] = [];

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await Promise.all(simulators.splice(0).map((simulator) => simulator.close()));
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  simulators.push(simulator);
  return simulator;
}

interface Told {
  readonly source: EventSource;
  readonly motion: boolean[];
  readonly states: [EventSourceState, string | undefined][];
}

function listen(simulator: Simulator, more: Partial<EventSourceOptions> = {}): Told {
  const motion: boolean[] = [];
  const states: [EventSourceState, string | undefined][] = [];
  const source = new EventSource({
    address: { url: simulator.onvifUrl(SCENE) },
    clock: systemClock,
    log: silentLog(),
    onMotion: (active) => motion.push(active),
    onState: (state, message) => states.push([state, message]),
    ...more,
  });
  sources.push(source);
  return { source, motion, states };
}

/** Moves a fake clock in steps that requests on real sockets can keep up with. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** Time passes, and each question that the camera is asked meanwhile gets its answer. */
async function passAnswered(
  { clock, simulator, source }: { clock: FakeClock; simulator: Simulator; source: EventSource },
  seconds: number,
): Promise<void> {
  const { requests } = simulator.events(SCENE);
  for (let second = 0; second < seconds; second++) {
    const asked = requests['SetSynchronizationPoint'] ?? 0;
    const told = source.counters.motion;
    await pass(clock, 1);
    if ((requests['SetSynchronizationPoint'] ?? 0) === asked) continue;
    await eventually('the answer', () => source.counters.motion > told);
  }
}

test('an alarm is told when it begins and when it ends, and the camera gets its place back', async () => {
  const simulator = await start();
  const events = simulator.events(SCENE);
  const { source, motion, states } = listen(simulator);
  await eventually('the subscription', () => source.state === 'ok');
  expect(events.subscriptionCount).toBe(1);
  events.force(true);
  await eventually('the beginning', () => motion.length === 1);
  events.force(false);
  await eventually('the end', () => motion.length === 2);
  expect(motion).toEqual([true, false]);
  expect(states).toEqual([['ok', undefined]]);
  await source.close();
  expect(events.subscriptionCount).toBe(0);
});

test('what is on already when we subscribe is told', async () => {
  const simulator = await start();
  simulator.events(SCENE).force(true);
  const { motion } = listen(simulator);
  await eventually('the alarm', () => motion.length === 1);
  expect(motion).toEqual([true]);
});

test('a subscription is renewed for as long as it is used', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const events = simulator.events(SCENE);
  const { source, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 600);
  await eventually('renewals', () => source.counters.renewals >= 3);
  expect(source.counters.subscriptions).toBe(1);
  expect(events.subscriptionCount).toBe(1);
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
}, 30_000);

test('a camera that cannot renew is subscribed to anew in time', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const events = simulator.events(SCENE);
  events.faults.refusesRenew = true;
  const { source, states, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 600);
  await eventually('subscriptions', () => source.counters.subscriptions >= 4);
  expect(states).toEqual([['ok', undefined]]);
  // It was asked to renew only until that was clear.
  expect(events.requests['Renew']).toBeLessThanOrEqual(2);
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
}, 30_000);

test('a camera that lies about the end of subscriptions is subscribed to anew', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const events = simulator.events(SCENE);
  events.faults.realLifetimeMs = 15_000;
  const { source, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 120);
  await eventually('another subscription', () => source.counters.subscriptions >= 3);
  await eventually('it works', async () => {
    await pass(clock, 1);
    return source.state === 'ok';
  });
  events.force(true);
  await eventually('the alarm', () => motion.at(-1) === true);
}, 30_000);

test('after a reboot the camera is subscribed to again at once', async () => {
  const simulator = await start();
  const events = simulator.events(SCENE);
  const clock = new FakeClock();
  const { source, motion, states } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await eventually('a pull', () => (events.requests['PullMessages'] ?? 0) >= 2);
  await pass(clock, 10);
  events.forgetSubscriptions();
  await eventually('another subscription', async () => {
    await pass(clock, 1);
    return source.counters.subscriptions === 2;
  });
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
  expect(states).toEqual([['ok', undefined]]);
});

test('a camera that is away is tried again, and is said to be away meanwhile', async () => {
  const simulator = await start();
  const { source, motion, states } = listen(simulator);
  await eventually('the subscription', () => source.state === 'ok');
  simulator.events(SCENE).force(true);
  await eventually('the alarm', () => motion.length === 1);
  await simulator.onvif.stop();
  await eventually('it is missed', () => source.state === 'failed');
  expect(states.at(-1)?.[1]).toMatch(/^its events cannot be had: /);
  // What goes on now is not known.
  expect(motion).toEqual([true, false]);
});

test('an alarm that is on for long is asked for, and stays while the camera says that it is on', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const events = simulator.events(SCENE);
  const { source, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
  await passAnswered({ clock, simulator, source }, 300);
  expect(events.requests['SetSynchronizationPoint']).toBeGreaterThanOrEqual(3);
  expect(motion).toEqual([true]);
  expect(source.endlessAlarms).toBe(0);
}, 30_000);

test('an alarm whose end never comes is closed and counted', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const events = simulator.events(SCENE);
  events.faults.neverEndsAlarms = true;
  events.faults.refusesSynchronization = true;
  const { source, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
  events.force(false);
  await pass(clock, 55);
  expect(motion).toEqual([true]);
  await pass(clock, 30);
  await eventually('its end', () => motion.length === 2);
  expect(motion).toEqual([true, false]);
  expect(source.endlessAlarms).toBe(1);
}, 30_000);

test('a camera that insists on its alarm for a quarter of an hour is not believed until it ends', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const events = simulator.events(SCENE);
  events.faults.neverEndsAlarms = true;
  const { source, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
  events.force(false);
  await passAnswered({ clock, simulator, source }, 960);
  await eventually('its end', () => motion.length === 2);
  expect(source.endlessAlarms).toBe(1);
  await pass(clock, 120);
  expect(motion).toEqual([true, false]);
  events.faults.neverEndsAlarms = false;
  events.force(true);
  events.force(false);
  await pass(clock, 5);
  events.force(true);
  await eventually('the next alarm', () => motion.length === 3);
}, 60_000);

test('a camera whose clock is years off, which checks the time of passwords', async () => {
  const credentials = { user: 'admin', password: 'secret' };
  const simulator = await start({ credentials });
  simulator.deviceFaults(SCENE).clockOffsetMs = -5 * 365 * 86_400_000;
  const { user: username, password } = credentials;
  const address = { url: simulator.onvifUrl(SCENE), username, password };
  const { source, motion } = listen(simulator, { address });
  await eventually('the subscription', () => source.state === 'ok');
  simulator.events(SCENE).force(true);
  await eventually('the alarm', () => motion.length === 1);
});

test('a wrong password is said to be one, and is not tried again and again', async () => {
  const simulator = await start({ credentials: { user: 'admin', password: 'secret' } });
  const clock = new FakeClock();
  const address = { url: simulator.onvifUrl(SCENE), username: 'admin', password: 'wrong' };
  const { source, states } = listen(simulator, { address, clock });
  await eventually('the refusal', () => source.state === 'failed');
  expect(states[0]?.[1]).toMatch(/refuses/);
  await pass(clock, 50);
  expect(source.counters.failures).toBe(1);
});

test('a camera that names a host which leads nowhere, and one that tells subscriptions apart by a header', async () => {
  const simulator = await start();
  const faults = simulator.deviceFaults(SCENE);
  for (const references of ['address', 'axis'] as const) {
    faults.namedHost = '192.0.2.77';
    faults.references = references;
    const { source, motion } = listen(simulator);
    await eventually('the subscription', () => source.state === 'ok');
    simulator.events(SCENE).force(true);
    await eventually('the alarm', () => motion.length === 1);
    simulator.events(SCENE).force(false);
    await source.close();
    expect(simulator.events(SCENE).subscriptionCount).toBe(0);
  }
});

test('a camera that closes pulls which wait is pulled from in shorter ones', async () => {
  const simulator = await start();
  const events = simulator.events(SCENE);
  events.faults.closesPullsAfterMs = 2500;
  const { source, motion, states } = listen(simulator);
  await eventually('the subscription', () => source.state === 'ok');
  await eventually('pulls', () => (events.requests['PullMessages'] ?? 0) >= 4, 20_000);
  expect(source.counters.subscriptions).toBe(1);
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
  expect(states).toEqual([['ok', undefined]]);
}, 40_000);

test('a camera that never waits is not asked without rest', async () => {
  const clock = new FakeClock();
  const simulator = await start();
  const events = simulator.events(SCENE);
  events.faults.neverWaits = true;
  const { source } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 20);
  expect(events.requests['PullMessages']).toBeLessThanOrEqual(22);
});

test('a camera without events says so', async () => {
  const simulator = await start();
  simulator.deviceFaults(SCENE).hasNoEvents = true;
  const { source } = listen(simulator);
  await eventually('the refusal', () => source.state === 'failed');
  expect(source.message).toMatch(/no events service/);
});

test('a camera is treated by its name: Reolink never tells the end of an alarm', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  simulator.deviceFaults(SCENE).manufacturer = 'Reolink';
  const events = simulator.events(SCENE);
  events.faults.neverEndsAlarms = true;
  const { source, motion } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  events.force(true);
  await eventually('the alarm', () => motion.length === 1);
  await pass(clock, 25);
  await eventually('its end', () => motion.length === 2);
  // That is its way, and no fault to be counted each time.
  expect(source.endlessAlarms).toBe(0);
  expect(events.requests['SetSynchronizationPoint']).toBeUndefined();
});

test('a camera is treated by its name: XiongMai is not asked to renew', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  simulator.deviceFaults(SCENE).model = 'IPC_XM530_RA50X20';
  const events = simulator.events(SCENE);
  const { source } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 200);
  await eventually('another subscription', () => source.counters.subscriptions >= 2);
  expect(events.requests['Renew']).toBeUndefined();
}, 30_000);

test('a camera is treated by its name: Tapo closes pulls after 10 s, so none is longer than 5 s', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  simulator.deviceFaults(SCENE).manufacturer = 'tp-link';
  const events = simulator.events(SCENE);
  events.faults.closesPullsAfterMs = 10_000;
  const { source, states } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 40);
  await eventually('pulls', () => (events.requests['PullMessages'] ?? 0) >= 4);
  expect(events.longestPullMs).toBe(5000);
  expect(source.counters.failures).toBe(0);
  expect(states).toEqual([['ok', undefined]]);
});

test('a camera is treated by its name: Vista says that every subscription ends now', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  simulator.deviceFaults(SCENE).manufacturer = 'Vista';
  const events = simulator.events(SCENE);
  events.faults.claimsToEndNow = true;
  const { source } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  await pass(clock, 200);
  await eventually('renewals', () => source.counters.renewals >= 1);
  expect(source.counters.subscriptions).toBe(1);
  expect(source.counters.renewals).toBeLessThanOrEqual(4);
}, 30_000);

test('a camera is treated by its name: Avigilon floods, and is asked once a second', async () => {
  const clock = new FakeClock();
  const simulator = await start();
  simulator.deviceFaults(SCENE).manufacturer = 'Avigilon';
  const events = simulator.events(SCENE);
  const { source } = listen(simulator, { clock });
  await eventually('the subscription', () => source.state === 'ok');
  const log =
    '<wsnt:NotificationMessage><wsnt:Topic>tns1:Device/tnsavg:Logs</wsnt:Topic></wsnt:NotificationMessage>';
  for (let second = 0; second < 10; second++) {
    for (let line = 0; line < 5; line++) events.publish(log);
    await pass(clock, 1);
  }
  await eventually('all of it', async () => {
    await pass(clock, 1);
    return source.counters.notifications >= 50;
  });
  expect(events.requests['PullMessages']).toBeLessThanOrEqual(source.counters.notifications / 2);
  expect(source.counters.motion).toBe(1);
});
