// Providers, the pages and who may enter them.

import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { lazy, useEffect } from 'react';
import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation } from 'react-router';
import { calls } from './api/calls.js';
import { ApiError } from './api/problem.js';
import type { Method, PathOf } from './api/paths.js';
import { queryClient } from './api/queries.js';
import { openSession } from './api/session.js';
import { useMay, useSession } from './api/use-session.js';
import { LoginPage } from './pages/LoginPage.js';
import { SetupPage } from './pages/SetupPage.js';
import { WallPage } from './pages/WallPage.js';
import { Fault } from './shell/Fault.js';
import { Shell } from './shell/Shell.js';
import { cssVariables, theme } from './theme.js';

const CamerasPage = lazy(async () => ({
  default: (await import('./pages/CamerasPage.js')).CamerasPage,
}));
const AddCameraPage = lazy(async () => ({
  default: (await import('./pages/AddCameraPage.js')).AddCameraPage,
}));
const EditCameraPage = lazy(async () => ({
  default: (await import('./pages/EditCameraPage.js')).EditCameraPage,
}));
const CameraPage = lazy(async () => ({
  default: (await import('./pages/CameraPage.js')).CameraPage,
}));
const MotionPage = lazy(async () => ({
  default: (await import('./pages/MotionPage.js')).MotionPage,
}));
const ExportsPage = lazy(async () => ({
  default: (await import('./pages/ExportsPage.js')).ExportsPage,
}));
const StoragePage = lazy(async () => ({
  default: (await import('./pages/StoragePage.js')).StoragePage,
}));
const UsersPage = lazy(async () => ({ default: (await import('./pages/UsersPage.js')).UsersPage }));
const AuditPage = lazy(async () => ({ default: (await import('./pages/AuditPage.js')).AuditPage }));

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme="dark">
      <QueryClientProvider client={queryClient}>
        <BrowserRouter>
          {/* Inside the router, because toasts hold links. */}
          <Notifications position="bottom-left" limit={4} ml={64} />
          <Routes>
            <Route path="/login" element={<LoginPage />} />
            <Route path="/setup" element={<SetupPage />} />
            <Route element={<SignedIn />}>
              <Route element={<Shell />}>
                <Route index element={<WallPage />} />
                <Route path="/cameras" element={<CamerasPage />} />
                <Route path="/cameras/:id" element={<CameraPage />} />
                <Route path="/motion" element={<MotionPage />} />
                <Route path="/storage" element={<StoragePage />} />
                <Route element={<Only method="POST" path="/api/cameras" />}>
                  <Route path="/cameras/new" element={<AddCameraPage />} />
                  <Route path="/cameras/:id/edit" element={<EditCameraPage />} />
                </Route>
                <Route element={<Only method="GET" path="/api/exports" />}>
                  <Route path="/exports" element={<ExportsPage />} />
                </Route>
                <Route element={<Only method="GET" path="/api/users" />}>
                  <Route path="/users" element={<UsersPage />} />
                  <Route path="/audit" element={<AuditPage />} />
                </Route>
                <Route path="*" element={<Navigate to="/" replace />} />
              </Route>
            </Route>
          </Routes>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** Lets in whoever has a session, and sends everybody else to sign-in, keeping the way. */
function SignedIn() {
  const session = useSession();
  const location = useLocation();
  const unknown = session.kind === 'unknown';
  const me = useQuery({
    queryKey: ['me'],
    queryFn: calls.me,
    enabled: unknown,
    retry: (failures, error) =>
      !(error instanceof ApiError && error.status >= 400 && error.status < 500) && failures < 60,
    retryDelay: 2000,
  });
  useEffect(() => {
    if (unknown && me.data !== undefined) openSession(me.data);
  }, [unknown, me.data]);
  useEffect(() => {
    if (session.kind === 'signed-out') queryClient.clear();
  }, [session.kind]);
  if (session.kind === 'signed-out') {
    const target = `${location.pathname}${location.search}`;
    return (
      <Navigate
        to={target === '/' ? '/login' : `/login?to=${encodeURIComponent(target)}`}
        replace
      />
    );
  }
  if (unknown) {
    const trouble = me.error ?? me.failureReason;
    return trouble === null ? null : (
      <div style={{ maxWidth: 480, margin: '20vh auto', padding: 16 }}>
        <Fault error={trouble} title="Cannot sign in yet" onRetry={() => void me.refetch()} />
      </div>
    );
  }
  return <Outlet />;
}

function Only<M extends Method>({ method, path }: { method: M; path: PathOf<M> }) {
  return useMay()(method, path) ? <Outlet /> : <Navigate to="/" replace />;
}
