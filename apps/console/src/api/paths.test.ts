import { fillPath, mayUse } from './paths.js';

describe('fillPath', () => {
  test('fills and escapes parameters and leaves out undefined query values', () => {
    expect(
      fillPath('/api/cameras/:id/frame.jpg', { id: 'a/b' }, { at: 5, height: undefined }),
    ).toBe('/api/cameras/a%2Fb/frame.jpg?at=5');
  });

  test('refuses a missing parameter', () => {
    expect(() => fillPath('/api/cameras/:id')).toThrow('lacks id');
  });
});

describe('mayUse', () => {
  test('follows the route table', () => {
    expect(mayUse('viewer', 'GET', '/api/cameras')).toBe(true);
    expect(mayUse('viewer', 'POST', '/api/exports')).toBe(false);
    expect(mayUse('operator', 'POST', '/api/exports')).toBe(true);
    expect(mayUse('operator', 'POST', '/api/cameras')).toBe(false);
    expect(mayUse('admin', 'DELETE', '/api/holds/:id')).toBe(true);
    expect(mayUse(undefined, 'GET', '/api/cameras')).toBe(false);
  });
});
