// The demo: four simulated cameras, two of them with something to see.

/** @param {number} rtspPort @param {number} onvifPort */
export function demoCameras(rtspPort, onvifPort) {
  const camera = (name, scene, rest) => ({
    name,
    streams: {
      main: `rtsp://127.0.0.1:${rtspPort}/${scene}`,
      sub: `rtsp://127.0.0.1:${rtspPort}/${scene}/sub`,
    },
    ...rest,
  });
  const onvif = (scene) => ({
    onvif: { url: `http://127.0.0.1:${onvifPort}/onvif/${scene}/device_service` },
  });
  return [
    camera('Gate', 'gate', onvif('gate')),
    camera('Yard', 'yard', {}),
    camera('Parking', 'parking', onvif('parking')),
    camera('Lobby', 'lobby', { recording: { mode: 'continuous' } }),
  ];
}
